namespace Tamx.Scenes;

/// <summary>An object's colour; the lower-case name is its word.</summary>
public enum SceneColor
{
    Red,
    Orange,
    Yellow,
    Green,
    Blue,
    Purple,
    White,
    Black,
}
