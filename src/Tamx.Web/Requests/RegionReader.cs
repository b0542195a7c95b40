using System.Text.Json;
using Tamx.Llama;

namespace Tamx.Web.Requests;

/// <summary>Reads <c>region</c>: a region of a picture that is hidden, kept alone or looked at.</summary>
internal static class RegionReader
{
    private const string Name = "region";

    private static readonly string[] Names = ["use", "box", "picture", "alpha"];

    /// <param name="parent">What may have the field.</param>
    public static PictureRegion? Read(JsonElement parent)
    {
        if (Json.Find(parent, Name) is not { } region)
        {
            return null;
        }

        ExplainRequestReader.RequireNames(region, Names, Name);
        var use = ReadUse(region);
        var alpha = Json.Number(region, "alpha", 0, PictureRegion.MaxAlpha);
        if (alpha is not null && use != RegionUse.LookAt)
        {
            throw Json.Fault("alpha", "is about lookAt; leave it out");
        }

        var read = new PictureRegion
        {
            Use = use,
            Box = ReadBox(region),
            PictureIndex = Json.Whole(region, "picture", 0, int.MaxValue) ?? 0,
        };
        return alpha is { } value ? read with { Alpha = (float)value } : read;
    }

    private static RegionUse ReadUse(JsonElement region) =>
        Json.Text(region, "use") switch
        {
            "hide" => RegionUse.Hide,
            "keep" => RegionUse.Keep,
            "lookAt" => RegionUse.LookAt,
            _ => throw Json.Fault("use", "must be hide, keep or lookAt"),
        };

    private static RegionBox ReadBox(JsonElement region)
    {
        if (
            Json.Find(region, "box") is { ValueKind: JsonValueKind.Array } list
            && list.GetArrayLength() == 4
            && list.EnumerateArray().All(edge => edge.ValueKind == JsonValueKind.Number)
        )
        {
            double[] edges = [.. list.EnumerateArray().Select(edge => edge.GetDouble())];
            if (edges.All(edge => edge is >= 0 and <= 1) && edges[0] < edges[2] && edges[1] < edges[3])
            {
                return new RegionBox(edges[0], edges[1], edges[2], edges[3]);
            }
        }

        throw Json.Fault(
            "box",
            "must be left, top, right and bottom edge, as parts of the picture's sides from 0 to 1"
        );
    }
}
