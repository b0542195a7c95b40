using System.Diagnostics.CodeAnalysis;
using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>A model's own folder, one of whose files is damaged, read for a dump. The first byte says which file.</summary>
internal sealed class CheckpointTarget : FuzzTarget
{
    private readonly string _dump;
    private readonly string _model;
    private readonly (string Path, byte[] Content)[] _files;

    [SetsRequiredMembers]
    public CheckpointTarget()
    {
        Name = "checkpoint";
        var gguf = RandomModel.Write(Folder, RandomModelOptions.Tiny).ModelPath;
        _model = Path.Combine(Folder, "model");
        CheckpointFolder.Write(_model, gguf, "BF16", isSharded: true);
        _files =
        [
            .. Directory.GetFiles(_model).Order(StringComparer.Ordinal).Select(path => (path, File.ReadAllBytes(path))),
        ];
        _dump = Path.Combine(Folder, "dump.safetensors");
        int[] ids = [1, 2, 3, 4, 5, 6];
        var size = RandomModelOptions.Tiny.HiddenSize;
        TensorPart.Write(
            _dump,
            TensorPart.Singles(
                "hidden_states",
                [.. Enumerable.Range(0, ids.Length * size).Select(i => MathF.Sin(i))],
                ids.Length,
                1,
                size
            ),
            TensorPart.Integers("token_ids", ids, ids.Length)
        );
    }

    /// <summary>Each takes some milliseconds.</summary>
    public override int UsualCount => 5000;

    public override byte[] Make(Random random)
    {
        var index = random.Next(_files.Length);
        var (path, content) = _files[index];
        if (path.EndsWith(".safetensors", StringComparison.Ordinal))
        {
            var damage = new SafetensorsDamage(content, random);
            for (var i = random.Next(3); i > 0; i--)
            {
                damage.Apply();
            }

            content = damage.ToArray();
        }

        for (var i = random.Next(3); i > 0; i--)
        {
            content = ByteDamage.Apply(content, random);
        }

        return [(byte)index, .. content];
    }

    public override bool Take(byte[] input)
    {
        var (path, whole) = _files[input.Length == 0 ? 0 : input[0] % _files.Length];
        File.WriteAllBytes(path, input.Length == 0 ? [] : input[1..]);
        try
        {
            TraceFile.Load(_dump, _model);
            return true;
        }
        catch (InvalidInputException e)
        {
            RefusedWith(e);
            return false;
        }
        finally
        {
            File.WriteAllBytes(path, whole);
        }
    }
}
