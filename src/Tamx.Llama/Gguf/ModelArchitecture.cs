namespace Tamx.Llama.Gguf;

/// <summary>Architectures that Tamx runs, as <c>general.architecture</c> names them.</summary>
public static class ModelArchitecture
{
    /// <summary>Qwen3-VL.</summary>
    public const string Qwen3Vl = "qwen3vl";

    /// <summary>Qwen3-VL with experts (30B-A3B, 235B-A22B).</summary>
    public const string Qwen3VlMoe = "qwen3vlmoe";

    /// <summary>Qwen3.5 and Qwen3.6.</summary>
    public const string Qwen35 = "qwen35";

    /// <summary>Qwen3.5 and Qwen3.6 with experts.</summary>
    public const string Qwen35Moe = "qwen35moe";

    /// <summary>Qwen2-VL and Qwen2.5-VL.</summary>
    public const string Qwen2Vl = "qwen2vl";

    /// <summary>InternVL 2.5 and 3, whose text model is Qwen2.5.</summary>
    public const string Qwen2 = "qwen2";

    /// <summary>InternVL 3.5, whose text model is Qwen3.</summary>
    public const string Qwen3 = "qwen3";

    /// <summary>InternVL 3.5 with experts (30B-A3B, 241B-A28B).</summary>
    public const string Qwen3Moe = "qwen3moe";

    /// <summary>Gemma 3.</summary>
    public const string Gemma3 = "gemma3";

    /// <summary>SmolVLM, Idefics 3, Pixtral, Mistral Small and LLaVA 1.5, whose text model is a Llama.</summary>
    public const string Llama = "llama";

    /// <summary>What an mmproj calls itself.</summary>
    internal const string Clip = "clip";
}
