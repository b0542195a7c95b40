using Tamx.Kernels.Devices.Cuda;
using Tamx.Kernels.Devices.OpenCl;

namespace Tamx.Kernels.Devices;

/// <summary>Opens devices for kernels of your own, as in <c>samples/OwnKernel</c>.</summary>
public static class KernelDevices
{
    /// <summary>Opens a device.</summary>
    /// <param name="kind"><see cref="EngineKind.Cuda"/> or <see cref="EngineKind.OpenCl"/>.</param>
    /// <param name="options">Which of its devices.</param>
    /// <returns>The device. The caller disposes of it.</returns>
    /// <exception cref="EngineUnavailableException">There is no such device, or it cannot run the kernels.</exception>
    public static IKernelDevice Open(EngineKind kind, EngineOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return kind == EngineKind.Cuda ? CudaDevices.Open(options)
            : kind == EngineKind.OpenCl ? OpenClDevices.Open(options)
            : throw new EngineUnavailableException(
                kind,
                $"engine {kind} has no devices for kernels; cuda and opencl have"
            );
    }
}
