namespace Tamx.Kernels.Devices;

/// <summary>A kernel in the language of a driver.</summary>
/// <param name="Text">PTX or OpenCL C.</param>
/// <param name="Entry">Name of its entry point.</param>
internal sealed record KernelText(string Text, string Entry);
