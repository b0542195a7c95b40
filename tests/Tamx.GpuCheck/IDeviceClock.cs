namespace Tamx.GpuCheck;

/// <summary>Measures the time that a device takes between two points.</summary>
internal interface IDeviceClock
{
    /// <summary>Starts. Work that was queued before is not measured.</summary>
    void Start();

    /// <summary>Stops, once the device has done the work that was queued since.</summary>
    /// <returns>Seconds since <see cref="Start"/>.</returns>
    double Stop();
}
