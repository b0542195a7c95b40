namespace Tamx.Cli;

/// <summary>The demo model and picture of tamx, in the folder <c>demo</c> beside the program.</summary>
internal static class DemoFiles
{
    public static string Model => At("tamx-demo-grounded-f16.gguf");

    public static string Projector => At("mmproj-tamx-demo-grounded-f16.gguf");

    public static string Picture => At("scene.jpg");

    private static string At(string name) => Path.Combine(AppContext.BaseDirectory, "demo", name);
}
