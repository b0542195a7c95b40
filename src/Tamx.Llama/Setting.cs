namespace Tamx;

/// <summary>A setting that a message names: a property of the library, which a flag or a JSON field may stand for.</summary>
/// <param name="Property">Name of the property, for example <c>ContextSize</c>.</param>
public readonly record struct Setting(string Property)
{
    /// <inheritdoc/>
    public override string ToString() => Property;
}
