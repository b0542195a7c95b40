using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Tamx;

/// <summary>Finds boxes and points in an answer's text. Places are bytes of it.</summary>
internal sealed partial class ClaimText
{
    private static readonly JsonReaderOptions Lenient = new()
    {
        AllowTrailingCommas = true,
        CommentHandling = JsonCommentHandling.Skip,
    };

    private static readonly char[] Separators = [' ', '\r', '\n', '\t', ',', ';'];

    private readonly byte[] _bytes;
    private readonly List<Claim> _claims = [];

    // One character per byte, so that a place in it is a place in the bytes.
    private readonly string _text;

    // What belongs to an object or stands between markers is not looked at again.
    private readonly List<Range> _read = [];

    public ClaimText(byte[] bytes)
    {
        _bytes = bytes;
        _text = Encoding.Latin1.GetString(bytes);
    }

    /// <summary>The claims in the order of their numbers.</summary>
    public IReadOnlyList<Claim> Read()
    {
        ReadObjects();
        ReadMarked();
        ReadBare();
        return [.. _claims.OrderBy(claim => claim.NumberPlaces[0].Start.Value)];
    }

    private void ReadObjects()
    {
        if (!ObjectKeyPattern().IsMatch(_text))
        {
            return;
        }

        // An object that is cut off may hold whole ones, which are looked for after its start.
        foreach (Match match in ObjectStartPattern().Matches(_text))
        {
            if (_read.Count == 0 || match.Index >= _read[^1].End.Value)
            {
                ReadObject(match.Index);
            }
        }
    }

    private void ReadObject(int start)
    {
        var open = new Stack<OpenObject>();
        var reader = new Utf8JsonReader(_bytes.AsSpan(start), Lenient);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType == JsonTokenType.StartObject)
                {
                    open.Push(new OpenObject(start + (int)reader.TokenStartIndex, reader.CurrentDepth));
                }
                else if (reader.TokenType == JsonTokenType.EndObject)
                {
                    var closed = open.Pop();
                    _claims.AddRange(closed.Claims());
                    _read.Add(closed.Start..(start + (int)reader.BytesConsumed));
                    if (open.Count == 0)
                    {
                        return;
                    }
                }
                else
                {
                    open.Peek().Add(ref reader, start);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not JSON from here on, or a text that is no UTF-8.
        }
    }

    private void ReadMarked()
    {
        Match? label = null;
        var end = 0;
        foreach (Match match in MarkedPattern().Matches(_text))
        {
            if (match.Groups["label"].Success)
            {
                (label, end) = (match, match.Index + match.Length);
                continue;
            }

            if (!string.IsNullOrEmpty(_text[end..match.Index].Trim(Separators)))
            {
                label = null;
            }

            end = match.Index + match.Length;
            _read.Add(match.Index..end);
            if (match.Groups["boxes"] is { Success: true } list)
            {
                ReadBoxes(list, match.Groups["end"].Success, label);
                continue;
            }

            var body = match.Groups["body"].Value;
            if (!match.Groups["end"].Success || PairPattern().Replace(body, "").Trim(Separators).Length > 0)
            {
                continue;
            }

            var pairs = PairPattern().Matches(body);
            var step = pairs.Count == 1 ? 1 : 2;
            for (var i = 0; pairs.Count % step == 0 && i < pairs.Count; i += step)
            {
                var place = label is null ? (Range?)null : PlaceOf(label.Groups["label"]);
                Add(pairs.Skip(i).Take(step), match.Groups["body"].Index, place, isBare: false);
            }
        }
    }

    /// <summary>InternVL's form: <c>[x1, y1, x2, y2]</c>, or several of these, in one more pair of brackets.</summary>
    private void ReadBoxes(Group list, bool isWhole, Match? label)
    {
        if (!isWhole || BoxPattern().Replace(list.Value, "").Trim(Separators).Length > 0)
        {
            return;
        }

        foreach (Match box in BoxPattern().Matches(list.Value))
        {
            var place = label is null ? (Range?)null : PlaceOf(label.Groups["label"]);
            AddNumbers(box.Groups["n"].Captures.ToArray(), list.Index, place, isBare: false);
        }
    }

    private void ReadBare()
    {
        foreach (Match match in BarePattern().Matches(_text))
        {
            if (_read.Exists(range => match.Index >= range.Start.Value && match.Index < range.End.Value))
            {
                continue;
            }

            Add(PairPattern().Matches(match.Value), match.Index, null, isBare: true);
        }
    }

    private void Add(IEnumerable<Match> pairs, int offset, Range? label, bool isBare) =>
        AddNumbers(
            [.. pairs.SelectMany(pair => new Capture[] { pair.Groups["x"], pair.Groups["y"] })],
            offset,
            label,
            isBare
        );

    private void AddNumbers(Capture[] numbers, int offset, Range? label, bool isBare) =>
        _claims.Add(
            new Claim(
                label is { } place ? Encoding.UTF8.GetString(_bytes.AsSpan()[place]).Trim() : "",
                label,
                [.. numbers.Select(number => double.Parse(number.Value, CultureInfo.InvariantCulture))],
                [.. numbers.Select(number => (offset + number.Index)..(offset + number.Index + number.Length))],
                isBare
            )
        );

    private static Range PlaceOf(Group group) => group.Index..(group.Index + group.Length);

    /// <summary>A box (four numbers) or a point (two), in the answer's own units.</summary>
    /// <param name="Label">The label, or empty.</param>
    /// <param name="LabelPlace">Where it stands; null without one.</param>
    /// <param name="Numbers">Finite numbers.</param>
    /// <param name="NumberPlaces">Where they stand.</param>
    /// <param name="IsBare">Whether nothing around it says that it is a place.</param>
    internal sealed record Claim(
        string Label,
        Range? LabelPlace,
        IReadOnlyList<double> Numbers,
        IReadOnlyList<Range> NumberPlaces,
        bool IsBare
    );

    /// <summary>A JSON object that is being read.</summary>
    private sealed class OpenObject(int start, int depth)
    {
        private readonly List<(double[] Numbers, Range[] Places)> _regions = [];
        private List<(double Number, Range Place)>? _numbers;
        private int _wanted;
        private bool _isLabel;
        private bool _hasLabel;
        private (string Text, Range Place)? _label;

        public int Start => start;

        public IEnumerable<Claim> Claims() =>
            _regions.Select(region => new Claim(
                _label?.Text ?? "",
                _label?.Place,
                region.Numbers,
                region.Places,
                IsBare: false
            ));

        public void Add(ref Utf8JsonReader reader, int offset)
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.PropertyName:
                    _wanted =
                        reader.ValueTextEquals("bbox_2d"u8) ? 4
                        : reader.ValueTextEquals("point_2d"u8) ? 2
                        : 0;
                    _isLabel = reader.ValueTextEquals("label"u8);
                    break;
                case JsonTokenType.StartArray:
                    _numbers = [];
                    break;
                case JsonTokenType.Number when reader.TryGetDouble(out var number) && double.IsFinite(number):
                    _numbers?.Add((number, PlaceOf(reader, offset, 0)));
                    break;
                case JsonTokenType.EndArray:
                    if (_wanted > 0 && _numbers?.Count == _wanted)
                    {
                        _regions.Add(([.. _numbers.Select(one => one.Number)], [.. _numbers.Select(one => one.Place)]));
                    }

                    _numbers = null;
                    break;
                case JsonTokenType.String when reader.CurrentDepth == depth + 1:
                    if ((_isLabel && !_hasLabel) || _label is null)
                    {
                        _label = (reader.GetString()!, PlaceOf(reader, offset, 1));
                        _hasLabel = _isLabel;
                    }

                    break;
                default:
                    // Whatever else stands among numbers, they are no coordinates.
                    _numbers = null;
                    break;
            }
        }

        private static Range PlaceOf(Utf8JsonReader reader, int offset, int quote)
        {
            var from = offset + (int)reader.TokenStartIndex + quote;
            return from..(from + reader.ValueSpan.Length);
        }
    }

    [GeneratedRegex("\"(?:bbox|point)_2d\"")]
    private static partial Regex ObjectKeyPattern();

    [GeneratedRegex("""\{(?=\s*")""")]
    private static partial Regex ObjectStartPattern();

    [GeneratedRegex(
        @"<\|object_ref_start\|>(?<label>(?:(?!<\|).)*)<\|object_ref_end\|>|<\|box_start\|>(?<body>[^<]*)(?<end><\|box_end\|>)?"
            + @"|<ref>(?<label>(?:(?!</?ref>).)*)</ref>|<box>\s*\[(?<boxes>[^<]*)\]\s*(?<end></box>)?",
        RegexOptions.Singleline | RegexOptions.ExplicitCapture
    )]
    private static partial Regex MarkedPattern();

    [GeneratedRegex(
        @"\[\s*(?<n>-?[0-9]{1,9}(\.[0-9]{1,9})?)(\s*,\s*(?<n>-?[0-9]{1,9}(\.[0-9]{1,9})?)){3}\s*\]",
        RegexOptions.ExplicitCapture
    )]
    private static partial Regex BoxPattern();

    [GeneratedRegex(@"\(\s*(?<x>-?[0-9]{1,9}(\.[0-9]{1,9})?)\s*,\s*(?<y>-?[0-9]{1,9}(\.[0-9]{1,9})?)\s*\)")]
    private static partial Regex PairPattern();

    [GeneratedRegex(
        @"(?<![\w\)\]])\(\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*,\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*\)"
            + @"(\s*,\s*\(\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*,\s*[0-9]{1,9}(\.[0-9]{1,9})?\s*\))?"
    )]
    private static partial Regex BarePattern();
}
