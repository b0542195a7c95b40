using System.Globalization;
using System.Text;

namespace Tamx.Llama.Gguf;

/// <summary>
/// How a GGUF writes SentencePiece's tokens: a space as U+2581, and a lone byte as <c>&lt;0x0A&gt;</c>.
/// </summary>
internal static class SentencePieceText
{
    private const char Space = '\u2581';

    /// <summary>The tokens of the 256 bytes.</summary>
    public static IEnumerable<string> ByteTokens { get; } =
    [.. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>")];

    /// <summary>The bytes of a token.</summary>
    /// <param name="token">The token as the file has it.</param>
    public static byte[] Decode(string token) =>
        token is ['<', '0', 'x', _, _, '>']
        && byte.TryParse(
            token.AsSpan(3, 2),
            NumberStyles.AllowHexSpecifier,
            CultureInfo.InvariantCulture,
            out var value
        )
            ? [value]
            : Encoding.UTF8.GetBytes(token.Replace(Space, ' '));
}

/// <summary>Ids of a SentencePiece vocabulary by their kind.</summary>
/// <param name="Controls">Control tokens, and the unknown one.</param>
/// <param name="Bytes">The token of each byte.</param>
internal sealed record SentencePieceIds(IReadOnlySet<int> Controls, IReadOnlyList<int> Bytes);
