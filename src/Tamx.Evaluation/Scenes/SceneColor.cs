namespace Tamx.Evaluation.Scenes;

/// <summary>An object's colour. Its word is the name in lower case.</summary>
public enum SceneColor
{
    /// <summary>Red.</summary>
    Red,

    /// <summary>Orange.</summary>
    Orange,

    /// <summary>Yellow.</summary>
    Yellow,

    /// <summary>Green.</summary>
    Green,

    /// <summary>Blue.</summary>
    Blue,

    /// <summary>Purple.</summary>
    Purple,

    /// <summary>White.</summary>
    White,

    /// <summary>Black.</summary>
    Black,
}
