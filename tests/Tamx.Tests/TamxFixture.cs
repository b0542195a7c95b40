using System.Text.Json;

namespace Tamx.Tests;

/// <summary>
/// A case of the TAMX reference fixtures (tests/fixtures/tamx/README.md): input, expected values and parameters.
/// </summary>
internal sealed class TamxFixture : IDisposable
{
    private readonly JsonDocument _case;

    public TamxFixture(string name)
    {
        Folder = Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx", name);
        _case = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "case.json")));
        Expected = SafetensorsFile.Open(Path.Combine(Folder, "expected.safetensors"));
    }

    public static TheoryData<string> Names => [.. FindNames()];

    public static IEnumerable<string> FindNames() =>
        Directory
            .EnumerateFiles(
                Path.Combine(AppContext.BaseDirectory, "fixtures", "tamx"),
                "case.json",
                SearchOption.AllDirectories
            )
            .Select(path => Path.GetFileName(Path.GetDirectoryName(path)!))
            .Order(StringComparer.Ordinal);

    public string Folder { get; }

    public string InputPath => Path.Combine(Folder, "input.safetensors");

    public SafetensorsFile Expected { get; }

    public JsonElement Case => _case.RootElement;

    public JsonElement Structure => Case.GetProperty("expected");

    public TamOptions Options
    {
        get
        {
            var parameters = Case.GetProperty("parameters");
            return new TamOptions
            {
                ApplyEci = parameters.GetProperty("apply_eci").GetBoolean(),
                ApplyFilter = parameters.GetProperty("apply_filter").GetBoolean(),
                KernelSize = parameters.GetProperty("kernel_size").GetInt32(),
            };
        }
    }

    /// <summary>The right grids: those of the reference, unless the case says that it got them wrong.</summary>
    public PatchGrid[] Grids
    {
        get
        {
            var corrected = Case.GetProperty("true_grids");
            var grids =
                corrected.ValueKind == JsonValueKind.Array
                    ? corrected.EnumerateArray()
                    : Structure
                        .GetProperty("vision_blocks")
                        .EnumerateArray()
                        .Select(block => block.GetProperty("grid"));
            return [.. grids.Select(grid => new PatchGrid(grid[0].GetInt32(), grid[1].GetInt32(), grid[2].GetInt32()))];
        }
    }

    public bool HasCorrectedGrids => Case.GetProperty("true_grids").ValueKind == JsonValueKind.Array;

    public static int[] Integers(JsonElement array) => [.. array.EnumerateArray().Select(item => item.GetInt32())];

    public Trace Load() => TraceFile.Load(InputPath);

    public void Dispose()
    {
        Expected.Dispose();
        _case.Dispose();
    }
}
