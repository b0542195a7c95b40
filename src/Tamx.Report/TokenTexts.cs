using System.Buffers;
using System.Text;

namespace Tamx.Report;

/// <summary>Token ids as text for display.</summary>
/// <remarks>
/// A token holds bytes, and a character may be spread over several tokens. In running text it belongs to the token with
/// its first byte. A token that only continues a character has the empty text. Bytes that are no UTF-8 become U+FFFD.
/// </remarks>
internal sealed class TokenTexts(Func<int, ReadOnlyMemory<byte>?> find)
{
    /// <summary>Texts of tokens in a row, one per id.</summary>
    public string[] Decode(ReadOnlySpan<int> ids)
    {
        // owner[b] is the token that byte b came from.
        var bytes = new List<byte>();
        var owners = new List<int>();
        for (var i = 0; i < ids.Length; i++)
        {
            foreach (var value in BytesOf(ids[i]).Span)
            {
                bytes.Add(value);
                owners.Add(i);
            }
        }

        var builders = new StringBuilder?[ids.Length];
        ReadOnlySpan<byte> rest = bytes.ToArray();
        var offset = 0;
        while (!rest.IsEmpty)
        {
            Rune.DecodeFromUtf8(rest, out var rune, out var consumed);
            (builders[owners[offset]] ??= new StringBuilder()).Append(rune.ToString());
            offset += consumed;
            rest = rest[consumed..];
        }

        return [.. builders.Select(builder => builder?.ToString() ?? "")];
    }

    /// <summary>
    /// Text of <paramref name="id"/> right after the tokens <paramref name="before"/>. If it completes a character,
    /// this has the whole character.
    /// </summary>
    public string DecodeAfter(ReadOnlySpan<int> before, int id)
    {
        var own = BytesOf(id).Span;
        byte[] joined = [.. UnfinishedBytes(before), .. own];
        var isComplete = Rune.DecodeFromUtf8(joined, out _, out _) == OperationStatus.Done;
        return Encoding.UTF8.GetString(isComplete ? joined : own);
    }

    /// <summary>A token's bytes, or its id as text.</summary>
    public ReadOnlyMemory<byte> BytesOf(int id) => find(id) ?? Encoding.UTF8.GetBytes($"#{id}");

    private byte[] UnfinishedBytes(ReadOnlySpan<int> ids)
    {
        const int LongestCharacter = 4;
        byte[] tail = [];
        for (var i = ids.Length - 1; i >= 0 && tail.Length < LongestCharacter; i--)
        {
            tail = [.. BytesOf(ids[i]).Span, .. tail];
        }

        // The shortest tail that starts a character and lacks its end.
        for (var length = 1; length < LongestCharacter && length <= tail.Length; length++)
        {
            var candidate = tail[^length..];
            if (Rune.DecodeFromUtf8(candidate, out _, out _) == OperationStatus.NeedMoreData)
            {
                return candidate;
            }
        }

        return [];
    }
}
