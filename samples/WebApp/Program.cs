// An ASP.NET application with Tamx's page and API below /tamx:
//
//     dotnet run --project samples/WebApp -- \
//         --Tamx:Model:ModelPath model.gguf --Tamx:Model:ProjectorPath mmproj.gguf
//
// Open http://localhost:5000. The options of the section "Tamx" may as well stand in appsettings.json.

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddTamxServer().BindConfiguration("Tamx");

var app = builder.Build();
app.MapGet("/", () => Results.Content("<p>My application. <a href='tamx/'>Ask a model</a></p>", "text/html"));
app.MapTamx("/tamx");
app.Run();
