using System.Text.Json.Serialization;

namespace Tamx.Evaluation;

/// <summary>What a word of an answer is.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<WordKind>))]
public enum WordKind
{
    /// <summary>A word for a thing that can be seen.</summary>
    [JsonStringEnumMemberName("noun")]
    Noun,

    /// <summary>A colour.</summary>
    [JsonStringEnumMemberName("colour")]
    Colour,

    /// <summary>
    /// A word that stands for nothing in the picture: an article, a pronoun, a conjunction or the like.
    /// </summary>
    [JsonStringEnumMemberName("function")]
    Function,
}
