using System.Text.Json;
using ImageMagick;
using Tamx.Testing;

namespace Tamx.Evaluation.Tests;

/// <summary>
/// Five pictures of 64 x 64 with label maps, in the layout of COCO or in that of GranDf; cells of 16 pixels make a grid
/// of 4 x 4.
/// </summary>
/// <remarks>Each character stands for a cell: the label it bears.</remarks>
internal sealed class HandMadeFolder : IDisposable
{
    public const int Size = 64;
    public const int Cells = 4;

    public static readonly string[] Layouts =
    [
        "1100 1100 0000 0022", // a dog and a cat
        "3333 3333 3333 3333", // all grass
        "0000 0110 0110 0000", // a dog
        "0000 0000 0000 0000", // nothing
        "1100 1100 0022 0022", // a dog and a cat
    ];

    private readonly TemporaryFolder _folder = new();

    public string Path => _folder.Path;

    public static IReadOnlyList<byte> CellLabels(int picture) =>
        [.. Layouts[picture].Where(c => c != ' ').Select(c => (byte)(c - '0'))];

    public static HandMadeFolder WithList()
    {
        var folder = new HandMadeFolder();
        folder.WritePictures(i => $"pictures/{i}.png", i => $"masks/{i}.png");
        folder.WriteList([
            .. Enumerable
                .Range(0, 5)
                .Select(i =>
                    (object)
                        new object[]
                        {
                            $"pictures/{i}.png",
                            "A caption.",
                            $"masks/{i}.png",
                            new Dictionary<string, int>
                            {
                                ["dog"] = 1,
                                ["cat"] = 2,
                                ["grass field"] = 3,
                            },
                        }
                ),
        ]);
        return folder;
    }

    public static HandMadeFolder AsCoco()
    {
        var folder = new HandMadeFolder();
        folder.WritePictures(i => $"image/{i + 100:D12}.jpg", i => $"seg_label/{i + 100:D12}.png");
        Directory.CreateDirectory(folder.File("annotations"));
        folder.Write(
            "annotations/instances_tiny.json",
            new
            {
                images = Enumerable.Range(100, 5).Select(id => new { id, height = Size }),
                annotations = new[] { new { id = 1, segmentation = new[] { 1, 2 } } },
                categories = new object[]
                {
                    new { id = 1, name = "dog" },
                    new { id = 2, name = "cat" },
                    new { id = 3, name = "grass field" },
                },
            }
        );
        return folder;
    }

    public string File(string name) => _folder.File(name);

    public void Write(string name, object content) =>
        System.IO.File.WriteAllText(File(name), JsonSerializer.Serialize(content));

    public void WriteList(object[] entries) => Write("anno.json", entries);

    /// <summary>A PNG of one grey value or, with the label of each of the 16 cells, a label map.</summary>
    public void WriteGrey(string name, IReadOnlyList<byte> cells, int size = Size)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(File(name))!);
        var pixels = Enumerable
            .Range(0, size * size)
            .Select(i => cells[(i / size * Cells / size * Cells) + (i % size * Cells / size)])
            .ToArray();
        using var image = new MagickImage();
        image.ReadPixels(pixels, new PixelReadSettings((uint)size, (uint)size, StorageType.Char, "R"));

        // Left to itself the encoder takes fewer bits where it can: 1 for all of 255, whose stored sample is 1.
        image.Settings.SetDefine(MagickFormat.Png, "bit-depth", "8");
        image.Settings.SetDefine(MagickFormat.Png, "color-type", "0");
        System.IO.File.WriteAllBytes(File(name), image.ToByteArray(MagickFormat.Png));
    }

    public void Dispose() => _folder.Dispose();

    private void WritePictures(Func<int, string> picture, Func<int, string> labels)
    {
        for (var i = 0; i < Layouts.Length; i++)
        {
            WriteGrey(picture(i), [.. CellLabels(i).Select(label => (byte)(60 * (label + 1)))]);
            WriteGrey(labels(i), CellLabels(i));
        }
    }
}
