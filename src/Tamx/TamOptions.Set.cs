using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tamx;

/// <content>Options by name, as text.</content>
public sealed partial record TamOptions
{
    /// <summary>The same options with one of them changed.</summary>
    /// <param name="name">Its name as in saved maps, in any case: <c>eciStrength</c>.</param>
    /// <param name="value">
    /// Its value as text: a number, <c>true</c>, <c>false</c>, or a choice's name (<c>byText</c>).
    /// </param>
    /// <exception cref="InvalidInputException">
    /// There is no such option, or it takes no such value. <see cref="Validate"/> checks the range.
    /// </exception>
    public TamOptions Set(string name, string value)
    {
        var options = JsonSerializer.SerializeToNode(this, SavedJson.Options)!.AsObject();
        var key =
            options
                .Select(option => option.Key)
                .FirstOrDefault(known => known.Equals(name, StringComparison.OrdinalIgnoreCase))
            ?? throw new InvalidInputException(
                $"{name}: the method has no such option; there are {string.Join(", ", options.Select(option => option.Key))}"
            );
        var before = options[key]!.ToString();
        try
        {
            options[key] =
                options[key]!.GetValueKind() == JsonValueKind.String ? JsonValue.Create(value) : JsonNode.Parse(value);
            return options.Deserialize<TamOptions>(SavedJson.Options)!;
        }
        catch (JsonException e)
        {
            throw new InvalidInputException(
                $"{name}={value}: this is no value for the option, which is {before} otherwise",
                e
            );
        }
    }
}
