namespace Tamx.GpuCheck;

/// <summary>Measures what a device does between two points.</summary>
internal interface IDeviceClock
{
    /// <summary>From here on: what was asked for before has ended, or does not count.</summary>
    void Start();

    /// <summary>Up to here, once the device has done it.</summary>
    /// <returns>Seconds since <see cref="Start"/>.</returns>
    double Stop();
}
