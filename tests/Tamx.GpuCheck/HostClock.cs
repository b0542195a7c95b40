using System.Diagnostics;

namespace Tamx.GpuCheck;

/// <summary>
/// The host's clock, with the device waited for at both ends; what waiting costs when there is nothing to wait for is
/// taken off.
/// </summary>
/// <param name="wait">Returns when the device has done all that it was asked for.</param>
internal sealed class HostClock(Action wait) : IDeviceClock
{
    private double _cost;
    private long _start;

    /// <summary>Measures what waiting costs.</summary>
    public void Calibrate()
    {
        _cost = 0;
        double[] costs = [.. Enumerable.Range(0, 50).Select(_ =>
        {
            Start();
            return Stop();
        })];
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
