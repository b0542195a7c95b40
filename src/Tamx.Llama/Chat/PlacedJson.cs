using System.Text.Json;

namespace Tamx.Llama.Chat;

/// <summary>A JSON value of a conversation and its place, with which every error message begins.</summary>
/// <param name="Element">The value.</param>
/// <param name="Place">Its place: <c>message 0, part 1</c>.</param>
internal readonly record struct PlacedJson(JsonElement Element, string Place)
{
    public bool IsObject => Element.ValueKind == JsonValueKind.Object;

    /// <summary>The value of a property; null if it is left out or null.</summary>
    public JsonElement? Find(string name) =>
        Element.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A property that is a text; null if it is left out or something else.</summary>
    public string? Text(string name) =>
        Find(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public double? Number(string name) =>
        Find(name) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value
                when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
            _ => throw Fault($"has a {name} that is no number"),
        };

    public double? Whole(string name, double most = 1e12) =>
        Number(name) switch
        {
            null => null,
            { } number when number >= 1 && number <= most && number == Math.Floor(number) => number,
            _ => throw Fault(FormattableString.Invariant($"has a {name} that is no whole number from 1 to {most}")),
        };

    /// <summary>What a text element says to the model.</summary>
    public string Spoken(JsonElement text) =>
        text.GetString() is { } spoken && !spoken.Contains('\0', StringComparison.Ordinal)
            ? spoken
            : throw Fault("has a zero character (U+0000) in its text");

    /// <summary>Refuses names that have no meaning, and names that stand twice.</summary>
    public void RequireNames(string[] names)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var property in Element.EnumerateObject())
        {
            if (!seen.Add(property.Name))
            {
                throw Fault($"has {Shown(property.Name)} twice");
            }

            if (!names.Contains(property.Name, StringComparer.Ordinal) && !SaysNothing(property.Value))
            {
                var known = string.Join(", ", names);
                throw Fault($"has {Shown(property.Name)}, a name that means nothing here; known are {known}");
            }
        }
    }

    public InvalidInputException Fault(string what) => new($"{Place} {what}");

    /// <summary>What somebody wrote, short and on one line.</summary>
    public static string Shown(string text) => $"\"{OutsideText.Name(text)}\"";

    /// <summary>Names one after another: <c>a, b or c</c>.</summary>
    public static string Listed(string[] names) => $"{string.Join(", ", names[..^1])} or {names[^1]}";

    public static string KindOf(JsonElement value) =>
        value.ValueKind switch
        {
            JsonValueKind.Array => "a list",
            JsonValueKind.Object => "an object",
            JsonValueKind.Number => "a number",
            _ => "true or false",
        };

    /// <summary>
    /// Clients send what their libraries know (<c>refusal</c>, <c>annotations</c>, <c>tool_calls</c>), with null or
    /// nothing in it.
    /// </summary>
    private static bool SaysNothing(JsonElement value) =>
        value.ValueKind == JsonValueKind.Null
        || (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 0);
}
