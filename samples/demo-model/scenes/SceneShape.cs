namespace Tamx.Scenes;

/// <summary>What an object is; the lower-case name is its noun.</summary>
public enum SceneShape
{
    Circle,
    Square,
    Triangle,
    Star,
    Cross,
    Ring,
    Diamond,
    Heart,
}
