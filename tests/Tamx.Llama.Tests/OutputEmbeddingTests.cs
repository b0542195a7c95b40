using Tamx.Testing;

namespace Tamx.Llama.Tests;

public sealed class OutputEmbeddingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>
    /// Every way a head can lie: tied, by itself, in another file, of each kind of type. The large vocabulary takes
    /// many reads.
    /// </summary>
    [Theory]
    [InlineData("qwen3vl")]
    [InlineData("qwen3vl-untied")]
    [InlineData("qwen3vl-split")]
    [InlineData("qwen3vl-f16")]
    [InlineData("qwen3vl-q8_0")]
    [InlineData("qwen3vl-untied-q4_k_m")]
    [InlineData("large-vocabulary")]
    public void ReadSlice_AnyHead_GivesTheRowsThatReadRowsGives(string name)
    {
        var files = name == "large-vocabulary" ? TestModels.LargeVocabulary : LoadedModels.Files(name);
        var embedding = ModelTokens.Open(files.ModelPath).OutputEmbedding;
        var size = embedding.HiddenSize;
        var all = new float[embedding.TokenCount * size];
        embedding.ReadSlice(0, all);
        var some = new float[7 * size];
        embedding.ReadSlice(embedding.TokenCount - 7, some);

        int[] ids =
        [
            .. Enumerable.Range(0, embedding.TokenCount).Where(id => id % 997 == 0 || id < 40),
            embedding.TokenCount - 1,
        ];
        Assert.Equal(embedding.ReadRows(ids), ids.SelectMany(id => all[(id * size)..((id + 1) * size)]));
        Assert.Equal(all[^(7 * size)..], some);
    }

    [Fact]
    public void ReadSlice_RowsThatAreNotThere_Throws()
    {
        var embedding = ModelTokens.Open(TestModels.Qwen3Vl.ModelPath).OutputEmbedding;
        var size = embedding.HiddenSize;

        Assert.ThrowsAny<ArgumentException>(() => embedding.ReadSlice(-1, new float[size]));
        Assert.ThrowsAny<ArgumentException>(() => embedding.ReadSlice(0, new float[size + 1]));
        Assert.ThrowsAny<ArgumentException>(() => embedding.ReadSlice(embedding.TokenCount - 1, new float[2 * size]));
        Assert.ThrowsAny<ArgumentException>(() => embedding.ReadSlice(embedding.TokenCount + 1, []));
        Assert.ThrowsAny<OperationCanceledException>(() =>
            embedding.ReadSlice(0, new float[size], new CancellationToken(canceled: true))
        );
    }

    [Fact]
    public void Read_FileThatChangedSinceItWasOpened_SaysSo()
    {
        var path = _folder.File("model.gguf");
        File.Copy(TestModels.Qwen3VlUntied.ModelPath, path);
        var embedding = ModelTokens.Open(path).OutputEmbedding;
        using (var file = File.OpenWrite(path))
        {
            file.SetLength(file.Length / 100);
        }

        Action[] reads =
        [
            () => embedding.ReadSlice(0, new float[embedding.TokenCount * embedding.HiddenSize]),
            () => embedding.ReadRows([embedding.TokenCount - 1]),
        ];
        foreach (var read in reads)
        {
            Assert.Contains(
                "cannot be read: the file has become shorter",
                Assert.Throws<ModelFormatException>(read).Message,
                StringComparison.Ordinal
            );
        }

        File.Delete(path);
        Assert.Contains(
            path,
            Assert.Throws<ModelFormatException>(() => embedding.ReadSlice(0, new float[embedding.HiddenSize])).Message,
            StringComparison.Ordinal
        );
    }
}
