using Tamx.Llama;
using Tamx.Llama.Chat;
using Tamx.Llama.Media;

namespace Tamx;

/// <summary>
/// The probability of a word while cells of the picture before it are greyed out. The answer stays as it was written,
/// and the model reads it anew for each set of cells.
/// </summary>
internal sealed class MaskedPicture
{
    private readonly VisionLanguageModel _model;
    private readonly IReadOnlyList<ChatTurn> _messages;
    private readonly ImagePart _picture;
    private readonly RgbImage _image;
    private readonly int[] _answer;
    private readonly int _firstToken;

    private MaskedPicture(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        ImagePart picture,
        ActivationMap map,
        ActivationMaps maps,
        AnswerWord word
    )
    {
        _model = model;
        _messages = messages;
        _picture = picture;
        _image = RgbImage.Decode(picture.Encoded, picture.Name);
        _answer = [.. maps.Answer.Take(word.TokenIndices[^1] + 1).Select(token => token.Token.TokenId)];
        _firstToken = word.TokenIndices[0];
        Map = map;
    }

    /// <summary>The word's map of the picture.</summary>
    public ActivationMap Map { get; }

    /// <summary>How often the model has read the answer.</summary>
    public int RunCount { get; private set; }

    /// <summary>The last picture before a word; null if there is none.</summary>
    public static MaskedPicture? Of(
        VisionLanguageModel model,
        IReadOnlyList<ChatTurn> messages,
        ActivationMaps maps,
        int wordIndex
    )
    {
        var word = maps.Words[wordIndex];

        // Of a picture in tiles, the map that joins them.
        var layout = maps.Layout;
        var blocks = layout
            .VisionBlocks.Index()
            .Where(block => !block.Item.IsVideo && layout.TilesOf(block.Index) == block.Index);
        ActivationMap[] shown = [.. blocks.Select(block => word.VisionMaps[block.Index]).OfType<ActivationMap>()];
        if (shown.Length == 0)
        {
            return null;
        }

        var before = GivenAnswer.Before(messages);
        var picture = before.SelectMany(message => message.Parts).OfType<ImagePart>().ElementAt(shown.Length - 1);
        return new MaskedPicture(model, before, picture, shown[^1], maps, word.Word);
    }

    /// <summary>The word's probability with some cells in grey.</summary>
    public async Task<double> ProbabilityAsync(IEnumerable<int> greyCells, CancellationToken cancellationToken)
    {
        var isGrey = new bool[Map.Grid.CellCount];
        foreach (var cell in greyCells)
        {
            isGrey[cell] = true;
        }

        var pixels = PictureEdits.GreyOut(_image, Map.Grid.Rows, Map.Grid.Columns, isGrey);
        var masked = new ImagePart(Bitmap24.Encode(_image.Width, _image.Height, pixels), _picture.Name)
        {
            Bounds = _picture.Bounds,
        };
        ChatTurn[] messages =
        [
            .. _messages.Select(message =>
                message with
                {
                    Parts = [.. message.Parts.Select(part => ReferenceEquals(part, _picture) ? masked : part)],
                }
            ),
        ];
        RunCount++;
        var values = await GivenAnswer.ReadAsync(_model, messages, _answer, cancellationToken).ConfigureAwait(false);
        return Math.Exp(values[_firstToken..].Sum());
    }
}
