using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Tamx.Report;

/// <summary>The page without data: template, style, script, and the policy that allows only these.</summary>
internal static partial class PageTemplate
{
    private const string EntryModule = "main.js";

    /// <summary>The style sheet.</summary>
    public static string Style { get; } = Read("page.css");

    /// <summary>The script, all modules in one.</summary>
    public static string Script { get; } = ScriptBundle.Build(EntryModule, Read);

    /// <summary>The script as it lies in the page: deflated, in base64. It is most of a small report.</summary>
    public static string Packed { get; } = Pack(Script);

    /// <summary>What unpacks it.</summary>
    public static string Unpacker { get; } = ScriptBundle.Build("unpack.js", Read);

    /// <summary>The Content-Security-Policy.</summary>
    public static string Policy { get; } =
        $"default-src 'none'; img-src blob:; style-src {Hash(Style)}; script-src {Hash(Unpacker)} {Hash(Script)}; base-uri 'none'; form-action 'none'";

    /// <summary>
    /// The template cut at its slots: each text with the name of the slot after it (null at the end).
    /// </summary>
    public static IReadOnlyList<(string Text, string? Slot)> Parts { get; } = Cut(Read("page.html"));

    /// <summary>
    /// Bytes of the page after the slot of part <paramref name="index"/>, if only the script's slot follows.
    /// </summary>
    public static long BytesAfter(int index) =>
        Parts.Skip(index + 1).Sum(part => (long)Encoding.UTF8.GetByteCount(part.Text))
        + Parts
            .Skip(index + 1)
            .Sum(part =>
                part.Slot switch
                {
                    null => 0L,
                    "script" => Encoding.UTF8.GetByteCount(Unpacker),
                    _ => throw new InvalidOperationException(
                        $"page.html has the slot {part.Slot} after the size, which cannot know of it"
                    ),
                }
            );

    private static List<(string Text, string? Slot)> Cut(string template)
    {
        var parts = new List<(string Text, string? Slot)>();
        var start = 0;
        foreach (Match match in SlotPattern().Matches(template))
        {
            parts.Add((template[start..match.Index], match.Groups[1].Value));
            start = match.Index + match.Length;
        }

        parts.Add((template[start..], null));
        return parts;
    }

    private static string Pack(string script)
    {
        using var packed = new MemoryStream();
        using (var deflate = new DeflateStream(packed, CompressionLevel.SmallestSize))
        {
            deflate.Write(Encoding.UTF8.GetBytes(script));
        }

        return Convert.ToBase64String(packed.ToArray());
    }

    private static string Hash(string content) =>
        $"'sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(content)))}'";

    private static string Read(string name)
    {
        using var stream =
            Assembly.GetExecutingAssembly().GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The page has no part named {name}.");
        using var reader = new StreamReader(stream, Encoding.UTF8);

        // A browser hashes the text after HTML parsing, which leaves only line feeds.
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }

    [GeneratedRegex(@"\{\{(\w+)\}\}")]
    private static partial Regex SlotPattern();
}
