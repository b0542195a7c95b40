namespace Tamx.Kernels;

/// <summary>A device that an engine can compute on.</summary>
/// <param name="Name">The engine's name and a number, for example <c>OpenCL0</c> or <c>CUDA0</c>.</param>
/// <param name="Kind">The engine that uses it.</param>
/// <param name="Description">What its driver calls it.</param>
/// <param name="MemoryBytes">Its memory, in bytes.</param>
/// <param name="IsGpu">Whether it is a GPU; <see cref="EngineKind.Auto"/> takes no other.</param>
public sealed record EngineDevice(string Name, EngineKind Kind, string Description, long MemoryBytes, bool IsGpu)
{
    /// <summary>Its name and description, for messages.</summary>
    internal string Label => $"{Name} ({Description})";
}
