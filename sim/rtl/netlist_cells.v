// What the multiplier does where none of its registers is used, as synthesis uses it here.
module MULT18X18D(
    input A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0,
    input B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0,
    input C17, C16, C15, C14, C13, C12, C11, C10, C9, C8, C7, C6, C5, C4, C3, C2, C1, C0,
    input SIGNEDA, SIGNEDB, SOURCEA, SOURCEB,
    output P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
    output P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0
);
  wire [17:0] a = {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6, A5, A4, A3, A2, A1, A0};
  wire [17:0] b = {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6, B5, B4, B3, B2, B1, B0};
  wire signed [35:0] long_a = {{18{SIGNEDA & A17}}, a};
  wire signed [35:0] long_b = {{18{SIGNEDB & B17}}, b};
  wire signed [35:0] product = long_a * long_b;
  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24, P23, P22, P21, P20, P19, P18,
          P17, P16, P15, P14, P13, P12, P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = product;
endmodule

// Block RAMs as memory mapping leaves them, one step before they get the names of the device: the same cells, with
// their pins in buses. What a read and a write of one place in one cycle would give on the device is not defined;
// here it is the complement, so that whoever reads it shows.
module \$__PDPW16KD_ (
    input PORT_R_CLK, PORT_R_CLK_EN, PORT_R_RD_SRST, PORT_R_RD_ARST,
    input [13:0] PORT_R_ADDR,
    output reg [PORT_R_WIDTH-1:0] PORT_R_RD_DATA,
    input PORT_W_CLK, PORT_W_CLK_EN,
    input [13:0] PORT_W_ADDR,
    input [PORT_W_WR_EN_WIDTH-1:0] PORT_W_WR_EN,
    input [PORT_W_WIDTH-1:0] PORT_W_WR_DATA
);
  parameter INIT = 0;
  parameter OPTION_RESETMODE = "SYNC";
  parameter PORT_R_WIDTH = 36;
  parameter PORT_R_CLK_POL = 1;
  parameter PORT_W_WIDTH = 36;
  parameter PORT_W_WR_EN_WIDTH = 4;
  parameter PORT_W_CLK_POL = 1;
  reg [35:0] memory [0:511];
  integer n;
  initial begin
    for (n = 0; n < 512; n = n + 1) memory[n] = INIT >> (36 * n);
    PORT_R_RD_DATA = 0;
  end
  wire collides = PORT_W_CLK_EN & |PORT_W_WR_EN & (PORT_R_ADDR[13:5] == PORT_W_ADDR[13:5]);
  wire [35:0] word = memory[PORT_R_ADDR[13:5]] ^ {36{collides}};
  wire [17:0] half = PORT_R_ADDR[4] ? word[35:18] : word[17:0];
  wire [8:0] unit = PORT_R_ADDR[3] ? half[17:9] : half[8:0];
  wire [3:0] four = PORT_R_ADDR[2] ? unit[7:4] : unit[3:0];
  wire [1:0] two = PORT_R_ADDR[1] ? four[3:2] : four[1:0];
  wire one = PORT_R_ADDR[0] ? two[1] : two[0];
  wire [35:0] read = PORT_R_WIDTH == 36 ? word : PORT_R_WIDTH == 18 ? half : PORT_R_WIDTH == 9 ? unit
      : PORT_R_WIDTH == 4 ? four : PORT_R_WIDTH == 2 ? two : one;
  always @(posedge PORT_R_CLK)
    if (PORT_R_RD_SRST) PORT_R_RD_DATA <= 0;
    else if (PORT_R_CLK_EN) PORT_R_RD_DATA <= read;
  wire [35:0] data = PORT_W_WR_DATA;
  wire [3:0] enable = PORT_W_WR_EN;
  always @(posedge PORT_W_CLK)
    if (PORT_W_CLK_EN) begin
      if (enable[0]) memory[PORT_W_ADDR[13:5]][8:0] <= data[8:0];
      if (enable[1]) memory[PORT_W_ADDR[13:5]][17:9] <= data[17:9];
      if (enable[2]) memory[PORT_W_ADDR[13:5]][26:18] <= data[26:18];
      if (enable[3]) memory[PORT_W_ADDR[13:5]][35:27] <= data[35:27];
    end
endmodule

// One port of the block RAM that has two: what it takes from a word of 18 bits, and where it writes into it.
module block_ram_port #(
    parameter WIDTH = 18,
    parameter BE_WIDTH = 2
) (
    input [3:0] place,
    input [17:0] word,
    input [WIDTH-1:0] data,
    input [BE_WIDTH-1:0] lanes,
    output [WIDTH-1:0] read,
    output [WIDTH-1:0] now,
    output [17:0] written
);
  wire [4:0] shift = WIDTH == 18 ? 0 : place[3] * 9 + (WIDTH == 4 ? place[2] * 4 : WIDTH == 2 ? place[2:1] * 2
      : WIDTH == 1 ? place[2:0] : 0);
  wire [17:0] mask = WIDTH == 18 ? {{9{lanes[BE_WIDTH-1]}}, {9{lanes[0]}}} : {WIDTH{lanes[0]}};
  assign read = word >> shift;
  assign now = written >> shift;
  assign written = word & ~(mask << shift) | (data & mask) << shift;
endmodule

module \$__DP16KD_ (
    input PORT_A_CLK, PORT_A_CLK_EN, PORT_A_WR_EN, PORT_A_RD_SRST, PORT_A_RD_ARST,
    input [13:0] PORT_A_ADDR,
    input [PORT_A_WR_BE_WIDTH-1:0] PORT_A_WR_BE,
    input [PORT_A_WIDTH-1:0] PORT_A_WR_DATA,
    output reg [PORT_A_WIDTH-1:0] PORT_A_RD_DATA,
    input PORT_B_CLK, PORT_B_CLK_EN, PORT_B_WR_EN, PORT_B_RD_SRST, PORT_B_RD_ARST,
    input [13:0] PORT_B_ADDR,
    input [PORT_B_WR_BE_WIDTH-1:0] PORT_B_WR_BE,
    input [PORT_B_WIDTH-1:0] PORT_B_WR_DATA,
    output reg [PORT_B_WIDTH-1:0] PORT_B_RD_DATA
);
  parameter INIT = 0;
  parameter OPTION_RESETMODE = "SYNC";
  parameter PORT_A_WIDTH = 18;
  parameter PORT_A_WR_BE_WIDTH = 2;
  parameter PORT_A_CLK_POL = 1;
  parameter PORT_A_OPTION_WRITEMODE = "NORMAL";
  parameter PORT_B_WIDTH = 18;
  parameter PORT_B_WR_BE_WIDTH = 2;
  parameter PORT_B_CLK_POL = 1;
  parameter PORT_B_OPTION_WRITEMODE = "NORMAL";
  reg [17:0] memory [0:1023];
  integer n;
  initial begin
    for (n = 0; n < 1024; n = n + 1) memory[n] = INIT >> (18 * n);
    PORT_A_RD_DATA = 0;
    PORT_B_RD_DATA = 0;
  end
  wire writes_a = PORT_A_CLK_EN & PORT_A_WR_EN;
  wire writes_b = PORT_B_CLK_EN & PORT_B_WR_EN;
  wire same = PORT_A_ADDR[13:4] == PORT_B_ADDR[13:4];
  wire [17:0] word_a = memory[PORT_A_ADDR[13:4]];
  wire [17:0] word_b = memory[PORT_B_ADDR[13:4]];
  wire [PORT_A_WIDTH-1:0] read_a, now_a;
  wire [PORT_B_WIDTH-1:0] read_b, now_b;
  wire [17:0] written_a, written_b;
  block_ram_port #(.WIDTH(PORT_A_WIDTH), .BE_WIDTH(PORT_A_WR_BE_WIDTH)) port_a (
      .place(PORT_A_ADDR[3:0]), .word(word_a), .data(PORT_A_WR_DATA), .lanes(PORT_A_WR_BE),
      .read(read_a), .now(now_a), .written(written_a));
  block_ram_port #(.WIDTH(PORT_B_WIDTH), .BE_WIDTH(PORT_B_WR_BE_WIDTH)) port_b (
      .place(PORT_B_ADDR[3:0]), .word(word_b), .data(PORT_B_WR_DATA), .lanes(PORT_B_WR_BE),
      .read(read_b), .now(now_b), .written(written_b));
  always @(posedge PORT_A_CLK) begin
    if (writes_a) memory[PORT_A_ADDR[13:4]] <= written_a;
    if (PORT_A_RD_SRST) PORT_A_RD_DATA <= 0;
    else if (PORT_A_CLK_EN & ~(PORT_A_WR_EN & PORT_A_OPTION_WRITEMODE == "NORMAL"))
      PORT_A_RD_DATA <= PORT_A_WR_EN & PORT_A_OPTION_WRITEMODE == "WRITETHROUGH" ? now_a
          : read_a ^ {PORT_A_WIDTH{same & writes_b}};
  end
  always @(posedge PORT_B_CLK) begin
    if (writes_b) memory[PORT_B_ADDR[13:4]] <= written_b;
    if (PORT_B_RD_SRST) PORT_B_RD_DATA <= 0;
    else if (PORT_B_CLK_EN & ~(PORT_B_WR_EN & PORT_B_OPTION_WRITEMODE == "NORMAL"))
      PORT_B_RD_DATA <= PORT_B_WR_EN & PORT_B_OPTION_WRITEMODE == "WRITETHROUGH" ? now_b
          : read_b ^ {PORT_B_WIDTH{same & writes_a}};
  end
endmodule
