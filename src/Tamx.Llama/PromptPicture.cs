using Tamx.Llama.Chat;

namespace Tamx.Llama;

/// <summary>A picture as it stands in the prompt.</summary>
public sealed record PromptPicture
{
    /// <summary>The picture as it was given.</summary>
    public required ImagePart Source { get; init; }

    /// <summary>Its media type, for example <c>image/jpeg</c>.</summary>
    public required string MediaType { get; init; }

    /// <summary>Width in pixels as displayed.</summary>
    public required int Width { get; init; }

    /// <summary>Height in pixels as displayed.</summary>
    public required int Height { get; init; }

    /// <summary>Position of its first cell in the token sequence.</summary>
    public required int FirstPosition { get; init; }

    /// <summary>Cells per row. The cells cover the whole picture.</summary>
    public required int Columns { get; init; }

    /// <summary>Rows of cells.</summary>
    public required int Rows { get; init; }
}
