using Tamx.Testing;

namespace Tamx.Fuzz;

/// <summary>A kind of input: how one is made, and what reads it.</summary>
internal abstract class FuzzTarget : IDisposable
{
    private static readonly Dictionary<string, Func<FuzzTarget>> ByName = new()
    {
        ["model"] = () => new GgufTarget("model"),
        ["mmproj"] = () => new GgufTarget("mmproj"),
        ["pair"] = () => new GgufTarget("pair"),
        ["trace"] = () => new TraceTarget("trace"),
        ["dump"] = () => new TraceTarget("dump"),
        ["checkpoint"] = () => new CheckpointTarget(),
        ["picture"] = () => new PictureTarget(),
        ["http"] = () => new HttpTarget(),
    };

    private readonly TemporaryFolder _folder = new();

    public static IEnumerable<string> Names => ByName.Keys;

    /// <summary>Whether each input is named before it is read, and each refusal told.</summary>
    public static bool IsTraced { get; } = Environment.GetEnvironmentVariable("TAMX_FUZZ_TRACE") is { Length: > 0 };

    /// <summary>The name, with which its seeds begin.</summary>
    public required string Name { get; init; }

    /// <summary>Inputs of the normal suite.</summary>
    public virtual int UsualCount => 20_000;

    protected string Folder => _folder.Path;

    public static FuzzTarget? Find(string name) => ByName.GetValueOrDefault(name)?.Invoke();

    /// <summary>Makes an input.</summary>
    public abstract byte[] Make(Random random);

    /// <summary>Has it read. Only errors that are documented may leave this.</summary>
    /// <returns>Whether it was taken.</returns>
    public abstract bool Take(byte[] input);

    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing) => _folder.Dispose();

    /// <summary>A refusal must be one line of bounded length that a terminal can show, and no more.</summary>
    /// <exception cref="InvalidDataException">It is not.</exception>
    protected static void RefusedWith(InvalidInputException refusal)
    {
        const int MostLetters = 2000;
        if (IsTraced)
        {
            Console.WriteLine($"refused: {OutsideText.Line(refusal.Message)}");
        }

        if (refusal.Message.Length > MostLetters || refusal.Message.Any(char.IsControl))
        {
            throw new InvalidDataException(
                $"a refusal of {refusal.Message.Length} letters: {OutsideText.Part(refusal.Message)}"
            );
        }
    }

    /// <summary>Lays an input where files are read from.</summary>
    protected string Save(string name, ReadOnlySpan<byte> content)
    {
        var path = _folder.File(name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
