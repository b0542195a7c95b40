using Tamx.Llama.Chat;
using Tamx.Testing;

namespace Tamx.Llama.Tests;

/// <summary>What looking at a region adds to the logits, against the formula written out.</summary>
public sealed class RegionSteeringTests
{
    private static readonly ChatTurn[] Question =
    [
        new(
            TurnRole.User,
            [
                TestPictures.Gradient(420, 280, "wide.png"),
                TestPictures.Gradient(140, 420, "high.png"),
                new TextPart("What?"),
            ]
        ),
    ];

    /// <summary>Of a picture in tiles (InternVL), the cells of the whole are looked at.</summary>
    [Theory]
    [InlineData("qwen3vl", 1)]
    [InlineData("internvl3", 3)]
    public async Task LookAt_SecondPicture_PushesByItsCells(string name, int promptPicture)
    {
        var model = LoadedModels.Get(LoadedModels.Files(name));
        var region = new PictureRegion
        {
            Use = RegionUse.LookAt,
            Box = new RegionBox(0, 0, 1, 0.5),
            PictureIndex = 1,
            Alpha = 20,
        };
        var options = new CompletionOptions { MaxNewTokens = 2, Region = region };
        using var completion = model.CreateCompletion(Question, options);
        List<GeneratedToken> tokens = [];
        await foreach (var token in completion.GenerateAsync())
        {
            tokens.Add(token);
        }

        var picture = completion.Pictures[promptPicture];
        Assert.Equal("high.png", picture.Name.Split(" as ")[0]);
        var push = Push(model, picture, completion.HiddenStates.ToArray(), region);
        var logits = Logits(model, completion.HiddenStates.ToArray(), completion.PromptTokenCount - 1);
        var best = logits.Max();
        double[] steered = [.. logits.Zip(push, (own, more) => own + (Math.Max(0, 1 - ((best - own) / 30)) * more))];
        Assert.Equal(LogSoftmax(steered, tokens[0].Id), tokens[0].SteeredLogProbability!.Value, 0.02);
        Assert.Equal(LogSoftmax(logits, tokens[0].Id), tokens[0].LogProbability, 0.02);
        Assert.Equal(Array.IndexOf(steered, steered.Max()), tokens[0].Id);

        // What was said is not pushed again.
        var again = Logits(model, completion.HiddenStates.ToArray(), completion.PromptTokenCount);
        best = again.Max();
        steered = [.. again.Zip(push, (own, more) => own + (Math.Max(0, 1 - ((best - own) / 30)) * more))];
        steered[tokens[0].Id] = again[tokens[0].Id];
        Assert.Equal(LogSoftmax(steered, tokens[1].Id), tokens[1].SteeredLogProbability!.Value, 0.02);
    }

    [Fact]
    public async Task LookAt_AlphaOfZero_ChangesNothing()
    {
        var model = LoadedModels.Get(TestModels.Qwen3Vl);
        var region = new PictureRegion
        {
            Use = RegionUse.LookAt,
            Box = new RegionBox(0, 0, 0.5, 0.5),
            Alpha = 0,
        };

        Assert.Equal(await IdsAsync(null), await IdsAsync(region));

        async Task<List<int>> IdsAsync(PictureRegion? asked)
        {
            using var completion = model.CreateCompletion(Question, new() { MaxNewTokens = 4, Region = asked });
            List<int> ids = [];
            await foreach (var token in completion.GenerateAsync())
            {
                Assert.Null(token.SteeredLogProbability);
                ids.Add(token.Id);
            }

            return ids;
        }
    }

    /// <summary>alpha s, written out.</summary>
    private static double[] Push(VisionLanguageModel model, PromptPicture picture, float[] states, PictureRegion region)
    {
        var size = model.Facts.HiddenSize;
        var own = new double[size];
        var whole = new double[size];
        double total = 0;
        for (var row = 0; row < picture.Rows; row++)
        {
            // The region is the upper half; a row of cells in its middle counts half.
            var part = Math.Clamp((region.Box.Bottom * picture.Rows) - row, 0, 1);
            total += part * picture.Columns;
            for (var column = 0; column < picture.Columns; column++)
            {
                var cell = picture.FirstPosition + (row * picture.Columns) + column;
                for (var d = 0; d < size; d++)
                {
                    own[d] += part * states[(cell * size) + d];
                    whole[d] += states[(cell * size) + d];
                }
            }
        }

        var v = own.Select(sum => sum / total).ToArray();
        var more = v.Zip(whole, (one, sum) => one - (sum / (picture.Rows * picture.Columns))).ToArray();
        var z = Standardized(Product(model, v)).Zip(Standardized(Product(model, more)), (a, b) => a + b).ToArray();
        return [.. z.Select(value => region.Alpha * Math.Max(0, value) / z.Max())];
    }

    private static double[] Logits(VisionLanguageModel model, float[] states, int position)
    {
        var size = model.Facts.HiddenSize;
        return Product(model, [.. states.Skip(position * size).Take(size).Select(value => (double)value)]);
    }

    private static double[] Product(VisionLanguageModel model, double[] vector)
    {
        int[] ids = [.. Enumerable.Range(0, model.Facts.VocabularySize)];
        var rows = model.OutputEmbedding.ReadRows(ids);
        return
        [
            .. ids.Select(id => vector.Index().Sum(value => value.Item * rows[(id * vector.Length) + value.Index])),
        ];
    }

    private static double[] Standardized(double[] values)
    {
        var mean = values.Average();
        var deviation = Math.Sqrt(values.Average(value => (value - mean) * (value - mean)));
        return [.. values.Select(value => (value - mean) / deviation)];
    }

    private static double LogSoftmax(double[] values, int id)
    {
        var best = values.Max();
        return values[id] - best - Math.Log(values.Sum(value => Math.Exp(value - best)));
    }
}
