namespace Tamx;

/// <summary>What stands in for a picture, to see what an answer owes to it.</summary>
public enum NeutralPicture
{
    /// <summary>The picture's mean colour everywhere.</summary>
    MeanColor,

    /// <summary>The picture so blurred that each pixel is the mean of a quarter of its sides around it.</summary>
    Blurred,

    /// <summary>The picture's cells in another order.</summary>
    Shuffled,
}
