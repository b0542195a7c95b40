namespace Tamx;

/// <summary>One message of the conversation as it stands in the token sequence.</summary>
/// <param name="Role">
/// <c>system</c>, <c>user</c>, <c>assistant</c>, or <c>other</c> for a role word that is none of these.
/// </param>
/// <param name="TextPositions">
/// Positions of the turn's text tokens (no marker, role or vision tokens), ascending.
/// </param>
/// <param name="VisionBlockIndices">Indices of the vision blocks in the turn.</param>
public sealed record Turn(string Role, IReadOnlyList<int> TextPositions, IReadOnlyList<int> VisionBlockIndices);
