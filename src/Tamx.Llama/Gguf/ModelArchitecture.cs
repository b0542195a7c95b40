namespace Tamx.Llama.Gguf;

/// <summary>Architectures that Tamx runs, as <c>general.architecture</c> names them.</summary>
public static class ModelArchitecture
{
    /// <summary>Qwen3-VL.</summary>
    public const string Qwen3Vl = "qwen3vl";

    /// <summary>Qwen2-VL and Qwen2.5-VL.</summary>
    public const string Qwen2Vl = "qwen2vl";

    /// <summary>What an mmproj calls itself.</summary>
    internal const string Clip = "clip";

    /// <summary>How conversations are written, as far as a file's own template does not say.</summary>
    internal static PromptFacts PromptOf(string architecture) =>
        architecture == Qwen2Vl
            ? new PromptFacts("You are a helpful assistant.", SystemFirstOnly: false, HasTimedBlocks: false)
            : new PromptFacts(DefaultSystem: "", SystemFirstOnly: true, HasTimedBlocks: true);

    /// <summary>What the published templates of a family have in common.</summary>
    /// <param name="DefaultSystem">The system's text where the conversation has none, if the file has no template.</param>
    /// <param name="SystemFirstOnly">Whether the system speaks at the beginning only, in text only.</param>
    /// <param name="HasTimedBlocks">Whether each temporal patch of a video is a block of its own, after its time.</param>
    internal readonly record struct PromptFacts(string DefaultSystem, bool SystemFirstOnly, bool HasTimedBlocks);
}
