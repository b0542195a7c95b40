using Tamx.Llama;

namespace Tamx.Cli;

/// <summary>Files that a command will write, looked at before the work begins.</summary>
internal static class OutputFile
{
    /// <summary>Refuses a path where no file can be written; null is fine.</summary>
    /// <exception cref="InvalidInputException">It is a folder, or its folder is not there.</exception>
    public static void Require(string? path)
    {
        if (path is null)
        {
            return;
        }

        string full = Path.GetFullPath(path);
        if (Directory.Exists(full))
        {
            throw new InvalidInputException($"{path} is a folder; name the file to write");
        }

        if (!Directory.Exists(Path.GetDirectoryName(full)))
        {
            throw new InvalidInputException($"{path}: there is no folder {Path.GetDirectoryName(full)}; make it first");
        }
    }
}
