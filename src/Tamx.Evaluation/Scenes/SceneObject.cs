namespace Tamx.Evaluation.Scenes;

/// <summary>One object of a scene.</summary>
/// <param name="Id">Its place in <see cref="Scene.Objects"/>. Its pixels bear the label Id + 1.</param>
/// <param name="Shape">What it is.</param>
/// <param name="Color">Its colour.</param>
/// <param name="CenterX">Centre, pixels from the left.</param>
/// <param name="CenterY">Centre, pixels from the top.</param>
/// <param name="Radius">Radius of the circle around it, in pixels.</param>
/// <param name="Tilt">Tangent of half the angle by which it is turned.</param>
public sealed record SceneObject(
    int Id,
    SceneShape Shape,
    SceneColor Color,
    double CenterX,
    double CenterY,
    double Radius,
    double Tilt
)
{
    /// <summary>The shape's word.</summary>
    public string Noun => Shape.ToString().ToLowerInvariant();

    /// <summary>The colour's word.</summary>
    public string Adjective => Color.ToString().ToLowerInvariant();
}
