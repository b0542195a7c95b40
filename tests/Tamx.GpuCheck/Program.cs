// Checks and measures the engines on devices. The machine needs nothing but the devices' drivers.
//
//     Tamx.GpuCheck [--quick] [--no-checks] [--out FILE.md] [cuda] [opencl]
//
// Exit codes: 0 if both engines, or those that were named, passed all checks; 1 if a check failed; 2 for a wrong
// command line; 3 if no check failed, but an engine has no device here.
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Tamx.GpuCheck;
using Tamx.Kernels;
using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;
using Tamx.Testing;

const int Failed = 1;
const int Usage = 2;
const int Incomplete = 3;

if (args is [FirstCall.Argument, var name])
{
    FirstCall.Run(name);
    return 0;
}

var kinds = new List<EngineKind>();
var (isQuick, isChecked) = (false, true);
string? path = null;
for (var i = 0; i < args.Length; i++)
{
    switch (args[i])
    {
        case "--quick":
            isQuick = true;
            break;
        case "--no-checks":
            isChecked = false;
            break;
        case "--out" when i + 1 < args.Length:
            path = args[++i];
            break;
        case "cuda" or "opencl":
            kinds.Add(args[i]);
            break;
        default:
            Console.Error.WriteLine(
                $"{args[i]}: usage: Tamx.GpuCheck [--quick] [--no-checks] [--out FILE.md] [cuda] [opencl]"
            );
            return Usage;
    }
}

if (kinds.Count == 0)
{
    kinds.AddRange([EngineKind.Cuda, EngineKind.OpenCl]);
}

var watch = Stopwatch.StartNew();
using var writer = new CopyingWriter(Console.Out, path);
writer.WriteLine($"# GPU check, {DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)}");
writer.WriteLine();
writer.WriteLine(
    $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} logical processors, "
        + $"{RuntimeInformation.FrameworkDescription}."
);
var failures = 0;
var missing = new List<string>();
foreach (var kind in kinds)
{
    writer.WriteLine();
    writer.WriteLine($"## {kind}");
    writer.WriteLine();
    if (TestEngines.WhyNot(kind) is { } reason)
    {
        writer.WriteLine($"Not checked and not measured: {reason}.");
        missing.Add(kind.Name);
        if (kind == EngineKind.Cuda)
        {
            missing.Add("checks beside another user of a CUDA context");
        }

        continue;
    }

    foreach (var device in TamEngines.Devices.Where(device => device.Kind == kind))
    {
        var note = device.IsGpu ? string.Empty : ", no GPU";
        writer.WriteLine($"{device.Name}: {device.Description}, {device.MemoryBytes / 1_000_000:N0} MB{note}.");
    }

    try
    {
        using var card = Open(kind);
        writer.WriteLine();
        writer.WriteLine($"Measured is {card.Info.Name}: {card.Facts}.");
        writer.WriteLine();
        if (isChecked)
        {
            Check("", null);
        }

        new DeviceMeasurements(kind, card, isQuick, writer).Write();
        if (isChecked && kind == EngineKind.Cuda)
        {
            using var other = new PrimaryContextUser(CudaDevices.Find()[0].Handle);
            Check(" beside another user of the primary context", other.Check);
            writer.WriteLine($"The other user wrote, copied and read its memory {other.RoundCount:N0} times.");
        }
    }
    catch (EngineUnavailableException e)
    {
        failures++;
        writer.WriteLine($"FAILED: {e.Message}");
    }

    void Check(string where, Action? afterEach)
    {
        var start = Stopwatch.GetTimestamp();
        var (passed, failed) = ContractChecks.Run(kind, writer, afterEach);
        failures += failed;

        // If nothing was checked, this program is at fault.
        failures += passed + failed == 0 ? 1 : 0;
        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        writer.WriteLine($"Contract checks{where}: {passed} passed, {failed} failed, in {seconds:F0} s.");
        writer.WriteLine();
    }
}

writer.WriteLine();
var outcome =
    failures > 0 ? $"{failures} FAILED."
    : isChecked ? "No check failed."
    : "Nothing was checked.";
var left = missing.Count > 0 ? $" Could not be done on this machine: {string.Join("; ", missing)}." : string.Empty;
writer.WriteLine($"Took {watch.Elapsed.TotalSeconds:F0} s. {outcome}{left}");
return failures > 0 ? Failed
    : missing.Count > 0 ? Incomplete
    : 0;

static ICard Open(EngineKind kind)
{
    if (kind == EngineKind.Cuda)
    {
        var (handle, device) = CudaDevices.Find()[0];
        return new CudaCard(handle, device);
    }

    var (id, info) = OpenClDevices
        .Find()
        .OrderByDescending(one => one.Device.IsGpu)
        .ThenByDescending(one => one.Device.MemoryBytes)
        .First();
    return new OpenClCard(id, info);
}
