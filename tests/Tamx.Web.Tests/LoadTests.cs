using System.Collections.Concurrent;
using System.Text.Json;

namespace Tamx.Web.Tests;

/// <summary>Many clients at once get what each would get alone.</summary>
[Collection(OneServer.Name)]
public sealed class LoadTests
{
    private const int MostRounds = 4;
    private const int Clients = 8;
    private const int RequestsEach = 25;

    private static readonly byte[] Picture = Testing.TestPictures.Gradient(64, 64).Encoded.ToArray();
    private static readonly string[] Questions =
    [
        "Describe this image.",
        "What colour is the cross?",
        "How many shapes are there?",
        "Where is the heart?",
        "What is it?",
    ];

    [Fact]
    public async Task Explain_EightClientsTwentyFiveTimes_GivesTheSameAnswersAndMemoryStays()
    {
        await using var server = await RunningServer.StartAsync(
            RunningServer.Options with
            {
                Limits = new RequestLimits { MaxRuns = 4 },
            }
        );
        var alone = new List<string>();
        foreach (var question in Questions)
        {
            alone.Add(await AskAsync(server, question));
        }

        // The runtime compiles what runs often anew, and allocators fill their pools: memory settles after a round or
        // two. What leaks grows in every one.
        await RoundAsync(server, alone, RequestsEach);
        var (serverAfter, workerAfter) = await MemoryAsync(server);
        var grown = "";
        for (var round = 0; round < MostRounds; round++)
        {
            var (serverBefore, workerBefore) = (serverAfter, workerAfter);
            await RoundAsync(server, alone, RequestsEach);
            (serverAfter, workerAfter) = await MemoryAsync(server);
            if (workerAfter < workerBefore * 1.1 && serverAfter < (serverBefore * 1.1) + (1 << 20))
            {
                grown = "";
                break;
            }

            grown +=
                $"the worker's memory went from {workerBefore >> 20} to {workerAfter >> 20} MB, "
                + $"the server's objects from {serverBefore >> 10} to {serverAfter >> 10} KB; ";
        }

        Assert.Equal("", grown);
        Assert.Equal(4, Directory.GetDirectories(Path.Combine(server.Server.FolderPath, "runs")).Length);
    }

    private static async Task RoundAsync(RunningServer server, List<string> alone, int count)
    {
        var different = new ConcurrentBag<string>();
        await Task.WhenAll(
            Enumerable
                .Range(0, Clients)
                .Select(async client =>
                {
                    for (var i = 0; i < count; i++)
                    {
                        var index = (client + i) % Questions.Length;
                        var answer = await AskAsync(server, Questions[index]);
                        if (answer != alone[index])
                        {
                            different.Add(Questions[index]);
                        }
                    }
                })
        );
        Assert.Empty(different);
    }

    private static async Task<string> AskAsync(RunningServer server, string question)
    {
        using var answer = await server.PostAsync(RunningServer.Question(Picture, question, maxTokens: 2));
        var body = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, body);
        return JsonDocument.Parse(body).RootElement.GetProperty("answer").GetRawText();
    }

    /// <summary>
    /// Live objects of this process, where the server is, and resident bytes of the worker, least of a few looks.
    /// </summary>
    private static async Task<(long Server, long Worker)> MemoryAsync(RunningServer server)
    {
        await RunningServer.UntilAsync(async () => await server.InProgressAsync() == 0, "rest");
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var worker = System.Diagnostics.Process.GetProcessById(server.Server.WorkerId!.Value);
        return (GC.GetTotalMemory(forceFullCollection: true), worker.WorkingSet64);
    }
}
