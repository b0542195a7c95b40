using System.Text;

namespace Tamx.Llama.Gguf;

/// <summary>The key-value pairs of a GGUF file.</summary>
/// <remarks>
/// Where the key is absent, <c>Find</c> methods return null and <c>Get</c> methods throw. Where the value is of another
/// type, both throw a <see cref="ModelFormatException"/> that names file and key. Immutable and safe to share between
/// threads.
/// </remarks>
public sealed class GgufMetadata
{
    private readonly string _path;
    private readonly Dictionary<string, GgufValue> _values;

    internal GgufMetadata(string path, Dictionary<string, GgufValue> values)
    {
        _path = path;
        _values = values;
    }

    /// <summary>All keys, in no particular order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    /// <summary>True if the key is present.</summary>
    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Type of the value, or null if the key is absent.</summary>
    public GgufValueType? TypeOf(string key) => _values.TryGetValue(key, out var value) ? value.Type : null;

    /// <summary>Type of an array's elements (a single value's own type), or null if the key is absent.</summary>
    public GgufValueType? ElementTypeOf(string key) =>
        _values.TryGetValue(key, out var value) ? value.ElementType : null;

    /// <summary>Number of an array's elements (1 for a single value), or 0 if the key is absent.</summary>
    public int CountOf(string key) => _values.TryGetValue(key, out var value) ? value.Count : 0;

    /// <summary>Text.</summary>
    public string? FindString(string key) =>
        Single(key, "a text", value => value.HoldsTexts) is { } value ? Decode(key, value, 0) : null;

    /// <summary>Text that must be there.</summary>
    public string GetString(string key) => FindString(key) ?? throw Missing(key, "a text");

    /// <summary>An integer of any width.</summary>
    public long? FindInteger(string key) =>
        Single(key, "an integer", value => value.HoldsIntegers) is { } value ? Integer(key, value, 0) : null;

    /// <summary>An integer that must be there.</summary>
    public long GetInteger(string key) => FindInteger(key) ?? throw Missing(key, "an integer");

    /// <summary>A float of any width.</summary>
    public double? FindFloat(string key) => Single(key, "a float", value => value.HoldsFloats)?.FloatAt(0);

    /// <summary>A float that must be there.</summary>
    public double GetFloat(string key) => FindFloat(key) ?? throw Missing(key, "a float");

    /// <summary>True or false.</summary>
    public bool? FindBool(string key) =>
        Single(key, "true or false", value => value.ElementType == GgufValueType.Bool)?.BoolAt(0);

    /// <summary>An array of texts, decoded anew at every call.</summary>
    public string[]? FindStrings(string key) =>
        All(key, "an array of texts", value => value.HoldsTexts, (value, i) => Decode(key, value, i));

    /// <summary>An array of integers of any width.</summary>
    public long[]? FindIntegers(string key) =>
        All(key, "an array of integers", value => value.HoldsIntegers, (value, i) => Integer(key, value, i));

    /// <summary>An array of floats of any width.</summary>
    public double[]? FindFloats(string key) =>
        All(key, "an array of floats", value => value.HoldsFloats, (value, i) => value.FloatAt(i));

    /// <summary>The error for a key that is absent.</summary>
    internal ModelFormatException Missing(string key, string wanted) =>
        new(_path, $"key {key} is missing; it must hold {wanted}");

    private GgufValue? Single(string key, string wanted, Func<GgufValue, bool> fits) =>
        Checked(key, wanted, value => value.Type != GgufValueType.Array && fits(value));

    private T[]? All<T>(string key, string wanted, Func<GgufValue, bool> fits, Func<GgufValue, int, T> read) =>
        Checked(key, wanted, value => value.Type == GgufValueType.Array && fits(value)) is { } array
            ? [.. Enumerable.Range(0, array.Count).Select(i => read(array, i))]
            : null;

    private GgufValue? Checked(string key, string wanted, Func<GgufValue, bool> fits)
    {
        if (!_values.TryGetValue(key, out var value))
        {
            return null;
        }

        if (!fits(value))
        {
            var found = value.Type == GgufValueType.Array ? $"an array of {value.ElementType}" : value.Type.ToString();
            throw new ModelFormatException(_path, $"key {key} is {found}; it must be {wanted}");
        }

        return value;
    }

    private long Integer(string key, GgufValue value, int index)
    {
        try
        {
            return value.IntegerAt(index);
        }
        catch (OverflowException exception)
        {
            throw new ModelFormatException(_path, $"key {key} holds an integer beyond {long.MaxValue}", exception);
        }
    }

    private string Decode(string key, GgufValue value, int index)
    {
        try
        {
            return value.TextAt(index);
        }
        catch (DecoderFallbackException exception)
        {
            var which = value.Type == GgufValueType.Array ? $" (element {index})" : "";
            throw new ModelFormatException(_path, $"key {key}{which} is not valid UTF-8", exception);
        }
    }
}
