namespace Tamx.Llama.Tests;

public sealed class SettingTests
{
    [Fact]
    public void Describe_TextWithinText_NamesEverySettingInTheCallersWords()
    {
        var size = new Setting("ContextSize");
        FormattableString inner = $"{1.5} at {size}, or less with {new Setting("MaxFrames")}";
        var exception = InvalidInputException.Naming($"{{a.gguf}}: {inner}");
        Assert.Equal("{a.gguf}: 1.5 at ContextSize, or less with MaxFrames", exception.Message);
        Assert.Equal(
            "{a.gguf}: 1.5 at -c, or less with MaxFrames",
            exception.Describe(setting => setting == size ? "-c" : null)
        );
    }

    [Fact]
    public void Describe_NoSettings_IsTheMessage()
    {
        Assert.Equal("a {0} b", new InvalidInputException("a {0} b").Describe(_ => "-c"));
        Assert.Equal("a {0} b", new LlamaException("a {0} b").Describe(_ => "-c"));
    }

    /// <summary>The rooms of the library know nothing of each other here, so the names are plain text.</summary>
    [Fact]
    public void Settings_All_AreProperties()
    {
        var properties = typeof(Settings)
            .Assembly.GetTypes()
            .SelectMany(type => type.GetProperties())
            .ToLookup(p => p.Name);
        var settings = typeof(Settings).GetFields().Select(field => (Setting)field.GetValue(null)!).ToList();
        Assert.NotEmpty(settings);
        Assert.All(settings, setting => Assert.True(properties.Contains(setting.Property), setting.Property));
    }
}
