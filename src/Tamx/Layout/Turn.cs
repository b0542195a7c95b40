namespace Tamx;

/// <summary>One message of the conversation as it stands in the token sequence.</summary>
/// <param name="Role"><c>system</c>, <c>user</c> or <c>assistant</c>; <c>other</c> for any other role word.</param>
/// <param name="TextPositions">Positions of the turn's text tokens (no markers, roles, cells), ascending.</param>
/// <param name="VisionBlockIndices">Indices of the vision blocks in the turn.</param>
public sealed record Turn(string Role, IReadOnlyList<int> TextPositions, IReadOnlyList<int> VisionBlockIndices);
