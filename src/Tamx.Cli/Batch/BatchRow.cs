using Tamx.Llama.Chat;

namespace Tamx.Cli.Batch;

/// <summary>A row of the input.</summary>
/// <param name="Number">Its place in the input, from 0.</param>
/// <param name="Id">What it is called: its own id, else its number.</param>
/// <param name="ReadTurns">Reads its conversation. What is wrong with it is thrown there.</param>
internal sealed record BatchRow(long Number, string Id, Func<CancellationToken, IReadOnlyList<ChatTurn>> ReadTurns);
