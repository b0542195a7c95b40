namespace Tamx.Web;

/// <summary>Categories of the log.</summary>
internal static class LogCategories
{
    /// <summary>The server: what fails, and its model's process coming and going.</summary>
    public const string Server = "Tamx.Web";

    /// <summary>What the model's process says, llama.cpp's lines among it.</summary>
    public const string Worker = "Tamx.Web.Worker";
}
