using System.Text.Json;
using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

/// <summary>What maps are computed from.</summary>
/// <param name="Method">The method.</param>
/// <param name="Layer">The layer, from 0; -1 for the last hidden states, and for evidence, which takes all.</param>
public sealed record MapSource(MapMethod Method, int Layer = -1)
{
    /// <summary>TAM on the last hidden states.</summary>
    public static MapSource LastLayer { get; } = new(MapMethod.Tam);

    /// <summary>Whether the method has maps of a kind: only TAM has ECI.</summary>
    internal bool Has(MapKind kind) => Method == MapMethod.Tam || kind is MapKind.Raw or MapKind.Filter;

    /// <summary>Sources of several methods and layers.</summary>
    /// <param name="methods">The methods.</param>
    /// <param name="layers">Layers from 0; -1 for the last. Evidence is one source whatever they are.</param>
    /// <param name="layerCount">The model's layers.</param>
    /// <returns>Each source once.</returns>
    public static IReadOnlyList<MapSource> Of(IEnumerable<MapMethod> methods, IReadOnlyList<int> layers, int layerCount)
    {
        ArgumentNullException.ThrowIfNull(methods);
        ArgumentNullException.ThrowIfNull(layers);
        return
        [
            .. methods
                .SelectMany(method =>
                    method == MapMethod.Evidence ? [new MapSource(method)] : layers.Select(layer => Of(method, layer))
                )
                .Distinct(),
        ];

        // The last layer with the final norm is the last hidden states. The lens has sums of captured layers only.
        MapSource Of(MapMethod method, int layer) =>
            method == MapMethod.Tam
                ? new MapSource(method, layer == layerCount - 1 ? -1 : layer)
                : new MapSource(method, layer < 0 ? layerCount - 1 : layer);
    }
}

/// <summary>A layer in JSON: its number, or "last".</summary>
internal sealed class LayerJson : JsonConverter<int>
{
    public override int Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String ? -1 : reader.GetInt32();

    public override void Write(Utf8JsonWriter writer, int value, JsonSerializerOptions options)
    {
        if (value < 0)
        {
            writer.WriteStringValue("last");
        }
        else
        {
            writer.WriteNumberValue(value);
        }
    }
}
