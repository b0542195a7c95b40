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
}
