namespace Tamx.Kernels.Devices;

/// <summary>A kernel as a driver takes it.</summary>
/// <param name="Text">PTX or OpenCL C.</param>
/// <param name="Entry">Its name in there.</param>
internal sealed record KernelText(string Text, string Entry);
