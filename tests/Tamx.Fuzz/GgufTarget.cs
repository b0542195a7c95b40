using System.Diagnostics.CodeAnalysis;
using Tamx.Llama;
using Tamx.Llama.Gguf;

namespace Tamx.Fuzz;

/// <summary>
/// Models, mmprojs and pairs of them, as pre-flight reads them. What passes it is loaded by
/// <see cref="DamagedPairTests"/>.
/// </summary>
internal sealed class GgufTarget : FuzzTarget
{
    [SetsRequiredMembers]
    public GgufTarget(string name) => Name = name;

    /// <summary>Each holds a vocabulary and takes some 3 ms.</summary>
    public override int UsualCount => 5000;

    /// <summary>The file; of a pair the length of the model, the model and the mmproj.</summary>
    public override byte[] Make(Random random)
    {
        var pair = DamagedPair.MakeTiny(random);
        if (Name != "pair")
        {
            return Damage(Name == "model" ? pair.ModelBytes() : pair.ProjectorBytes(), random);
        }

        var (model, projector) = (pair.ModelBytes(), pair.ProjectorBytes());
        if (random.Next(2) == 0)
        {
            model = Damage(model, random);
        }
        else
        {
            projector = Damage(projector, random);
        }

        return [.. BitConverter.GetBytes(model.Length), .. model, .. projector];
    }

    public override bool Take(byte[] input)
    {
        if (Name != "pair")
        {
            return Open(Save($"{Name}.gguf", input), isModel: Name == "model") is not null;
        }

        var length = BitConverter.ToInt32(input);
        var model = Open(Save("model.gguf", input.AsSpan(4, length)), isModel: true);
        var projector = Open(Save("mmproj.gguf", input.AsSpan(4 + length)), isModel: false);
        if (model is null || projector is null)
        {
            return false;
        }

        try
        {
            Preflight.CheckPair((ModelFacts)model, (ProjectorFacts)projector);
            return true;
        }
        catch (ModelFormatException e)
        {
            RefusedWith(e);
            return false;
        }
    }

    private static byte[] Damage(byte[] file, Random random)
    {
        // The head is a few thousand bytes; what follows are weights, which may be anything.
        const int Head = 8000;
        for (var i = random.Next(3); i > 0; i--)
        {
            file = ByteDamage.Apply(file, random, random.Next(4) == 0 ? int.MaxValue : Head);
        }

        return file;
    }

    private static object? Open(string path, bool isModel)
    {
        try
        {
            var file = GgufModel.Open(path);
            return isModel ? Preflight.CheckModel(file) : Preflight.CheckProjector(file);
        }
        catch (ModelFormatException e)
        {
            RefusedWith(e);
            return null;
        }
    }
}
