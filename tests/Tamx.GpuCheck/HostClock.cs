using System.Diagnostics;

namespace Tamx.GpuCheck;

/// <summary>
/// The host's clock. It waits for the device at both ends, and subtracts the time that a wait takes when there is
/// nothing to wait for.
/// </summary>
/// <param name="wait">Returns when the device has done all its work.</param>
internal sealed class HostClock(Action wait) : IDeviceClock
{
    private double _cost;
    private long _start;

    /// <summary>Measures the time that a wait takes.</summary>
    public void Calibrate()
    {
        _cost = 0;
        double[] costs =
        [
            .. Enumerable
                .Range(0, 50)
                .Select(_ =>
                {
                    Start();
                    return Stop();
                }),
        ];
        _cost = costs.Order().ElementAt(costs.Length / 2);
    }

    public void Start()
    {
        wait();
        _start = Stopwatch.GetTimestamp();
    }

    public double Stop()
    {
        wait();
        return Math.Max(0, Stopwatch.GetElapsedTime(_start).TotalSeconds - _cost);
    }
}
