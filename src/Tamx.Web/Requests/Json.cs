using System.Text.Json;

namespace Tamx.Web.Requests;

/// <summary>
/// Values of a request's JSON, or what is wrong with them. A property that is null counts as left out.
/// </summary>
internal static class Json
{
    public static JsonElement? Find(JsonElement element, string property) =>
        element.ValueKind == JsonValueKind.Object
        && element.TryGetProperty(property, out var value)
        && value.ValueKind != JsonValueKind.Null
            ? value
            : null;

    /// <summary>A text; null if it is left out or something else.</summary>
    public static string? Text(JsonElement element, string property) =>
        Find(element, property) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static bool? Flag(JsonElement element, string property) =>
        Find(element, property) switch
        {
            null => null,
            { ValueKind: JsonValueKind.True } => true,
            { ValueKind: JsonValueKind.False } => false,
            _ => throw Fault(property, "must be true or false"),
        };

    public static double? Number(JsonElement element, string property) =>
        Find(element, property) switch
        {
            null => null,
            { ValueKind: JsonValueKind.Number } value
                when value.TryGetDouble(out var number) && double.IsFinite(number) => number,
            _ => throw Fault(property, "must be a number"),
        };

    public static double? Number(JsonElement element, string property, double least, double most) =>
        Number(element, property) switch
        {
            null => null,
            { } number when number >= least && number <= most => number,
            _ => throw Fault(property, FormattableString.Invariant($"must be from {least} to {most}")),
        };

    public static int? Whole(JsonElement element, string property, int least, int most) =>
        Number(element, property) switch
        {
            null => null,
            { } number when number >= least && number <= most && number == Math.Floor(number) => (int)number,
            _ => throw Fault(property, FormattableString.Invariant($"must be a whole number from {least} to {most}")),
        };

    /// <summary>A name from outside, short and on one line.</summary>
    public static string Shown(string name)
    {
        const int Most = 60;
        var line = string.Concat(name.Take(Most).Select(letter => char.IsControl(letter) ? ' ' : letter));
        return name.Length <= Most ? line : line + "…";
    }

    public static ApiException Fault(string property, string what) =>
        ApiException.BadRequest("invalid_value", $"{property} {what}", property);
}
