namespace Tamx;

/// <summary>How turns of a role begin.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>.</param>
/// <param name="TokenIds">The tokens that the turn begins with, before its text.</param>
public sealed record TurnOpening(string Role, IReadOnlyList<int> TokenIds);
