using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Tamx.Kernels;
using Tamx.Report;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>Traces and dumps (.safetensors), read and, if they are taken, explained and shown.</summary>
internal sealed class TraceTarget : FuzzTarget
{
    private readonly byte[][] _whole;
    private readonly string? _modelPath;
    private readonly ReferenceEngine _engine = new();

    [SetsRequiredMembers]
    public TraceTarget(string name)
    {
        Name = name;
        if (name == "dump")
        {
            _modelPath = RandomModel.Write(Folder, RandomModelOptions.Tiny).ModelPath;
        }

        var hiddenSize = name == "dump" ? RandomModelOptions.Tiny.HiddenSize : 3;
        _whole =
        [
            .. ((Trace[])[Generated(hiddenSize), Conversation(hiddenSize), Video(hiddenSize)]).Select(trace =>
            {
                var path = Path.Combine(Folder, "whole.safetensors");
                TraceFile.Save(trace, path);
                return File.ReadAllBytes(path);
            }),
        ];
    }

    /// <summary>A dump reads its rows from a model's file, which takes some 4 ms.</summary>
    public override int UsualCount => Name == "dump" ? 5000 : base.UsualCount;

    public override byte[] Make(Random random)
    {
        var damage = new SafetensorsDamage(_whole[random.Next(_whole.Length)], random);
        if (Name == "dump")
        {
            damage.DropRows();
        }

        for (var i = random.Next(4); i > 0; i--)
        {
            damage.Apply();
        }

        var file = damage.ToArray();
        for (var i = random.Next(4) == 0 ? 1 : 0; i > 0; i--)
        {
            file = ByteDamage.Apply(file, random);
        }

        return file;
    }

    public override bool Take(byte[] input)
    {
        var path = Save($"{Name}.safetensors", input);
        try
        {
            var trace = TraceFile.Load(path, _modelPath);
            var maps = ActivationMaps.Compute(trace, engine: _engine);
            MapsJson.Write(trace, maps, Stream.Null);
            HtmlReport.WriteAsync(trace, maps, Stream.Null).GetAwaiter().GetResult();
            return true;
        }
        catch (InvalidInputException e)
        {
            RefusedWith(e);
            return false;
        }
    }

    private static Trace Generated(int hiddenSize) =>
        Of(
            [
                Start,
                User,
                Newline,
                VisionStart,
                Pad,
                Pad,
                Pad,
                Pad,
                VisionEnd,
                30,
                31,
                End,
                Newline,
                Start,
                Assistant,
                Newline,
                40,
                41,
                42,
            ],
            hiddenSize,
            imageGrids: [new PatchGrid(1, 4, 4)],
            candidates:
            [
                [40, 41],
                [41, 40],
                [42, 30],
            ],
            pictures: [new TracePicture(0, 0, "image/png", TestPictures.Gradient(16, 16).Encoded, 16, 16)]
        );

    private static Trace Conversation(int hiddenSize) =>
        Of([Start, User, Newline, 30, 31, End, Newline, Start, Assistant, Newline, 32, 33, End], hiddenSize);

    private static Trace Video(int hiddenSize) =>
        Of(
            [
                Start,
                User,
                Newline,
                VisionStart,
                VideoPad,
                VideoPad,
                VisionEnd,
                30,
                VisionStart,
                VideoPad,
                VideoPad,
                VisionEnd,
                31,
                End,
                Newline,
                Start,
                Assistant,
                Newline,
                40,
                41,
            ],
            hiddenSize,
            videoGrids: [new PatchGrid(2, 2, 4)],
            candidates:
            [
                [40],
                [41],
            ]
        );

    // Ids of a small vocabulary, so that a tiny model has them all.
    private const int Start = 1;
    private const int End = 2;
    private const int User = 3;
    private const int Assistant = 4;
    private const int Newline = 5;
    private const int VisionStart = 6;
    private const int VisionEnd = 7;
    private const int Pad = 8;
    private const int VideoPad = 9;

    private static Trace Of(
        int[] ids,
        int hiddenSize,
        PatchGrid[]? imageGrids = null,
        PatchGrid[]? videoGrids = null,
        int[][]? candidates = null,
        TracePicture[]? pictures = null
    )
    {
        var random = new Random(ids.Length);
        int[] used = [.. ids.Concat((candidates ?? []).SelectMany(step => step)).Distinct().Order()];
        return new Trace
        {
            TokenIds = [.. ids],
            HiddenSize = hiddenSize,
            HiddenStates = Values((ids.Length - 1) * hiddenSize),
            OutputIds = [.. used],
            OutputRows = Values(used.Length * hiddenSize),
            OutputTexts = [.. used.Select(id => (ReadOnlyMemory<byte>)Encoding.UTF8.GetBytes($" word{id}"))],
            ImageGrids = imageGrids ?? [],
            VideoGrids = videoGrids ?? [],
            CandidateIds = candidates?.Select(step => step.ToImmutableArray()).ToArray(),
            Pictures = pictures ?? [],
            Markers = MarkerIds.QwenPublished with
            {
                TurnStart = Start,
                TurnEnd = End,
                User = User,
                Assistant = Assistant,
                Newline = Newline,
                VisionStart = VisionStart,
                VisionEnd = VisionEnd,
                ImagePad = Pad,
                VideoPad = VideoPad,
            },
        };

        float[] Values(int count) => [.. Enumerable.Range(0, count).Select(_ => (float)(random.NextDouble() - 0.3))];
    }
}
