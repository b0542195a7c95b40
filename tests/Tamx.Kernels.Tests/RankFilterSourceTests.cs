using Tamx.Kernels.Devices.Kernels;

namespace Tamx.Kernels.Tests;

public class RankFilterSourceTests
{
    /// <summary>
    /// The committed files are what the generator writes. Nobody can check a sorting network by reading.
    /// </summary>
    [Theory]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(9)]
    public void Write_EachSide_GivesTheCommittedFile(int side)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Tamx.sln")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        var kernels = Path.Combine(folder.FullName, "src", "Tamx.Kernels", "Devices", "Kernels");
        var file = Path.Combine(kernels, RankFilterSource.ClassName(side) + ".cs");
        if (Environment.GetEnvironmentVariable("TAMX_WRITE_FILTERS") == "1")
        {
            File.WriteAllText(file, RankFilterSource.Write(side));
        }

        Assert.True(
            File.ReadAllText(file).ReplaceLineEndings("\n") == RankFilterSource.Write(side),
            $"{file} is not what RankFilterSource writes; run this test with TAMX_WRITE_FILTERS=1"
        );
    }

    /// <summary>
    /// All indices of a pair of windows, on all axes shorter than its reach, and on a few longer ones.
    /// </summary>
    [Fact]
    public void Fold_AnyIndexOfAWindow_ReflectsAsTheReferenceDoes()
    {
        for (var reach = 1; reach <= 4; reach++)
        {
            for (var length = 1; length <= 12; length++)
            {
                for (var i = -reach; i <= length + reach; i++)
                {
                    var folded = Window.Fold(i, length - 1);
                    folded = length <= reach + 1 ? Window.FoldFurther(folded, length - 1) : folded;
                    Assert.Equal(RankFilter.Reflect(i, length), folded);
                }
            }
        }
    }
}
