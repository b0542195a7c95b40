// Writes a quantized copy of a text model, made by llama.cpp itself. From the root of the repository:
// dotnet run samples/demo-model/train/quantize.cs -- SOURCE DESTINATION q8_0|q6_k|q4_k_m
#:project ../../../src/Tamx.Llama/Tamx.Llama.csproj
#:property RestorePackagesWithLockFile=false
#:property PublishAot=false

using LLama;
using Tamx.Llama;

if (args is not [var source, var destination, "q8_0" or "q6_k" or "q4_k_m"])
{
    Console.Error.WriteLine("give a source, a destination, and q8_0, q6_k or q4_k_m");
    return 2;
}

// Loads the libraries that LLamaSharp then uses.
Console.WriteLine($"llama.cpp {LlamaRuntime.Version}");
string part = destination + ".part";
if (!LLamaQuantizer.Quantize(source, part, args[2], nthread: 1))
{
    Console.Error.WriteLine($"llama.cpp could not quantize {source}");
    return 1;
}

File.Move(part, destination, overwrite: true);
Console.WriteLine($"{destination}: {new FileInfo(destination).Length / 1e6:F2} MB");
return 0;
