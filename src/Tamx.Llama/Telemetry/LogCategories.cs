namespace Tamx.Llama;

/// <summary>Categories of the library's log.</summary>
internal static class LogCategories
{
    /// <summary>Models and answers.</summary>
    public const string Llama = "Tamx.Llama";

    /// <summary>What llama.cpp says.</summary>
    public const string Native = "Tamx.Llama.Native";

    /// <summary>Maps and engines.</summary>
    public const string Maps = "Tamx";
}
