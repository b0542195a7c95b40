namespace Tamx.Evaluation.Scenes;

/// <summary>What an object is. Its noun is the name in lower case.</summary>
public enum SceneShape
{
    /// <summary>A disc.</summary>
    Circle,

    /// <summary>A square on one of its sides.</summary>
    Square,

    /// <summary>A triangle on one of its sides.</summary>
    Triangle,

    /// <summary>A star of five points.</summary>
    Star,

    /// <summary>An upright cross with arms of equal length.</summary>
    Cross,

    /// <summary>A disc with a hole in the middle.</summary>
    Ring,

    /// <summary>A rhombus on one of its corners.</summary>
    Diamond,

    /// <summary>A heart.</summary>
    Heart,
}
