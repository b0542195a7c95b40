using System.Diagnostics;
using System.Globalization;
using Tamx.Llama.Media;

namespace Tamx.Llama.Tests.Media;

/// <summary>
/// The child's side: decodes pictures over and over, all of which are refused, and says the most memory it had.
/// </summary>
internal static class PictureMemoryRun
{
    /// <param name="arguments">How often, then the files.</param>
    public static int Run(string[] arguments)
    {
        for (var i = int.Parse(arguments[0], CultureInfo.InvariantCulture); i > 0; i--)
        {
            foreach (var path in arguments[1..])
            {
                try
                {
                    RgbImage.Open(path);
                    return 2;
                }
                catch (ImageFormatException)
                {
                    // As it should be.
                }
            }
        }

        Console.WriteLine(Process.GetCurrentProcess().PeakWorkingSet64);
        return 0;
    }
}
