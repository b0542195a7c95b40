using Tamx.Llama;
using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>A row of the input.</summary>
/// <param name="Number">Its place in the input, from 0.</param>
/// <param name="Id">What it is called: its own id, else its number.</param>
/// <param name="Read">Reads what it asks. What is wrong with it is thrown there.</param>
internal sealed record BatchRow(long Number, string Id, Func<CancellationToken, RowQuestion> Read);

/// <summary>What a row asks.</summary>
/// <param name="Turns">The conversation.</param>
/// <param name="Region">The region of a picture that it is about; null for that of the command line.</param>
internal sealed record RowQuestion(IReadOnlyList<ChatTurn> Turns, PictureRegion? Region = null);
