using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tamx;

/// <content>Options by name, as text.</content>
public sealed partial record TamOptions
{
    /// <summary>The same options but for one.</summary>
    /// <param name="name">
    /// Its name; capital letters do not matter. As options stand in saved maps: <c>eciStrength</c>.
    /// </param>
    /// <param name="value">
    /// Its value as text: a number, <c>true</c> or <c>false</c>, or the name of a choice (<c>byText</c>).
    /// </param>
    /// <exception cref="InvalidInputException">
    /// There is no such option, or this is no value for it; whether it is in range is for <see cref="Validate"/>.
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
